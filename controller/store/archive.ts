/**
 * The whole state as a text: a line that says what it is, then a JSON object a line. It is how a state moves
 * from a file to a database and back, and what a backup is. The first line has a hash of all that follows,
 * so half of one is never taken for the whole.
 */
import { contentHash } from '../base/hash.js';
import { OpError } from '../base/op-error.js';
import type { DeadLetter, HistoryEntry, Store, StoredNotification } from '../loop/ports.js';

export interface Archive {
  readonly values: readonly {
    readonly kind: string;
    readonly key: string;
    readonly json: string;
  }[];
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Undelivered, oldest first. */
  readonly outbox: readonly StoredNotification[];
  /** Oldest first. */
  readonly deadLetters: readonly Pick<DeadLetter, keyof StoredNotification | 'error'>[];
}

const format = 1;

export function renderArchive({ values, history, outbox, deadLetters }: Archive): string {
  const lines = [
    ...values.map(({ kind, key, json }) => ({ value: { kind, key, json } })),
    ...history.map(({ atMs, kind, json }) => ({ history: { atMs, kind, json } })),
    ...outbox.map((one) => ({ outbox: notification(one) })),
    ...deadLetters.map((one) => ({ deadLetter: { ...notification(one), error: one.error } })),
  ].map((line) => `${JSON.stringify(line)}\n`);
  const body = lines.join('');
  const head = { headgate: 'state', format, lines: lines.length, sha256: contentHash(body) };
  return `${JSON.stringify(head)}\n${body}`;
}

/** Throws `OpError` `store-archive` where `text` is no whole archive of this format. */
export function parseArchive(text: string): Archive {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  const head = parseHead(text.slice(0, end));
  if (head.headgate !== 'state' || head.format !== format) {
    throw refused(`is no state of headgate in format ${format}`);
  }
  if (head.sha256 !== contentHash(body)) {
    throw refused('was cut off or changed since it was exported');
  }
  const lines = body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return {
    values: lines.flatMap(({ value }) => value ?? []),
    history: lines.flatMap(({ history }) => history ?? []),
    outbox: lines.flatMap(({ outbox }) => outbox ?? []),
    deadLetters: lines.flatMap(({ deadLetter }) => deadLetter ?? []),
  };
}

interface Line {
  readonly value?: Archive['values'][number];
  readonly history?: HistoryEntry;
  readonly outbox?: StoredNotification;
  readonly deadLetter?: Archive['deadLetters'][number];
}

function parseHead(line: string): Readonly<Record<string, unknown>> {
  try {
    const head: unknown = JSON.parse(line);
    return typeof head === 'object' && head !== null ? { ...head } : {};
  } catch {
    return {};
  }
}

/**
 * Puts `archive` into `store`, which must have no state. One transaction makes it a state, so a try that
 * failed can be made again. Throws `OpError` `store-not-empty`.
 */
export async function fillStore(store: Store, archive: Archive): Promise<void> {
  const [known] = await store.load();
  if (known !== undefined) {
    throw new OpError('store-not-empty', 'the state to import into is not empty; name a new one', {
      retry: { kind: 'stalled' },
    });
  }
  const dead = archive.deadLetters;
  await store.commit({ writes: [], history: [], notifications: dead.map(notification) });
  for (const { id, sink, error } of dead) {
    await store.giveUp(id, sink, error);
  }
  await store.commit({
    writes: archive.values,
    history: archive.history,
    notifications: archive.outbox,
  });
}

function notification(one: StoredNotification): StoredNotification {
  const { id, topic, sink, createdAtMs, json, expendable } = one;
  return { id, topic, sink, createdAtMs, json, expendable };
}

function refused(text: string): OpError {
  return new OpError('store-archive', `the archive ${text}`, { retry: { kind: 'stalled' } });
}
