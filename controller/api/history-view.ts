/**
 * The history as the API shows it: each entry with one line of text for people and its fields for
 * programs. What each kind of entry holds is written by `loop/announce.ts` and `loop/step.ts`; entries
 * of an older version may hold less, and are shown as far as they go.
 */
import type { EventName } from '../event-table.js';
import type { Store, StoredHistoryEntry } from '../loop/ports.js';
import { viewTime } from './rollout-view.js';

export interface HistoryView {
  /** Rises by one with each entry. */
  readonly id: number;
  readonly at: string;
  readonly kind: string;
  /** As the log and the metrics name it; undefined for an entry of a kind that is not known any more. */
  readonly event?: EventName;
  /** The rollout that it is about, where it is about one. */
  readonly rollout?: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A revision that was seen. */
export interface RevisionView {
  /** The commit's id. */
  readonly id: string;
  /** Its repository's name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  readonly author: string;
  readonly title: string;
  readonly committedAt: string;
  readonly verdict: string;
  /** How many problems it has. */
  readonly problems: number;
  readonly at: string;
  /** The history's number of it, for `before`. */
  readonly entry: number;
}

export function viewHistory(entry: StoredHistoryEntry): HistoryView {
  const data = fieldsOf(entry.json);
  return {
    id: entry.id,
    at: viewTime(entry.atMs),
    kind: entry.kind,
    event: eventOf(entry.kind, data),
    rollout: typeof data.rollout === 'string' ? data.rollout : undefined,
    text: textOf(entry.kind, data),
    data: withTimes(data) as HistoryView['data'],
  };
}

/** `entry` must be of the kind `revision`. */
export function viewRevision(entry: StoredHistoryEntry): RevisionView {
  const data = fieldsOf(entry.json);
  return {
    id: text(data.id),
    repository: text(data.repository) || undefined,
    author: text(data.author),
    title: text(data.title),
    committedAt: viewTime(Number(data.committedAtMs ?? 0)),
    verdict: text(data.verdict),
    problems: Number(data.problems ?? 0),
    at: viewTime(entry.atMs),
    entry: entry.id,
  };
}

/** Entries that are looked through for those of one rollout: days of a busy mesh. */
const searchedMax = 5000;
const searchedAtOnce = 500;

/** Entries about one rollout, newest first: the store keeps the history by time and kind alone. */
export async function historyOfRollout(
  history: Store['history'],
  query: Parameters<Store['history']>[0],
  rollout: string,
): Promise<readonly HistoryView[]> {
  const found: HistoryView[] = [];
  let { before } = query;
  for (let searched = 0; searched < searchedMax; searched += searchedAtOnce) {
    const entries = await history({ ...query, before, limit: searchedAtOnce });
    found.push(...entries.map(viewHistory).filter((view) => view.rollout === rollout));
    before = entries.at(-1)?.id;
    if (entries.length < searchedAtOnce || found.length >= query.limit) {
      break;
    }
  }
  return found.slice(0, query.limit);
}

function eventOf(
  kind: string,
  { verdict }: Readonly<Record<string, unknown>>,
): EventName | undefined {
  switch (kind) {
    case 'revision':
      return verdict === 'accepted' ? 'revision.accepted' : 'revision.rejected';
    case 'rollout':
      return 'rollout.moved';
    case 'command':
      return 'rollout.command';
    case 'proxy':
      return 'xds.refused';
    default:
      return undefined;
  }
}

function textOf(kind: string, data: Readonly<Record<string, unknown>>): string {
  const reason = text(data.reason) === '' ? '' : `: ${text(data.reason)}`;
  switch (kind) {
    case 'revision':
      return (
        `${repositoryOf(data)}${text(data.id).slice(0, 12)} ` +
        `${text(data.verdict)}: ${text(data.title)}`
      );
    case 'rollout':
      return `${text(data.rollout)} ${text(data.phase)}${reason}`;
    case 'command':
      return `${text(data.command)} ${text(data.rollout)} by ${text(data.by)}${reason}`;
    case 'proxy':
      return `${text(data.proxy)} refused ${text(data.refused)}: ${text(data.error)}`;
    default:
      return JSON.stringify(data);
  }
}

function repositoryOf({ repository }: Readonly<Record<string, unknown>>): string {
  return text(repository) === '' ? '' : `${text(repository)} `;
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `value` with every `…AtMs` as an ISO time `…At`, at any depth. */
function withTimes(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withTimes);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) =>
      /(^a|A)tMs$/.test(key) && typeof member === 'number'
        ? [key.slice(0, -2), viewTime(member)]
        : [key, withTimes(member)],
    ),
  );
}
