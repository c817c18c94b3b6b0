/**
 * The durable state as values in the store, and back. A step writes the values that it changed, found by
 * identity: a rollout whose gates merely measured again is not written.
 */
import { sameValue } from '../base/same-value.js';
import type { Origins } from '../mesh/origins.js';
import type { PastState } from '../rollout/good-states.js';
import type { HeldChange, Rollout } from '../rollout/rollout.js';
import type { AnnouncedEndpoint } from './announced.js';
import {
  changedMeshes,
  isMeshRow,
  type MeshRows,
  meshStates,
  noMeshRows,
  takeMeshRows,
} from './mesh-rows.js';
import { changedOrigins, isOriginRow, takeOriginRows } from './origin-rows.js';
import type { StoreWrite } from './ports.js';
import { nothingServed, type Served } from './start-state.js';
import type { DurableState, LoopState, RepositoryText, RevisionState } from './state.js';

/** What a commit keeps: the durable state, and with it what follows from no other value. */
export type SavedState = Pick<LoopState, 'durable' | 'generation' | 'servedGeneration' | 'origins'>;

/** The state of a controller that has never run. */
export const initialDurableState: DurableState = {
  repositories: new Map(),
  texts: new Map(),
  owners: new Map(),
  meshes: new Map(),
  rollouts: new Map(),
  held: new Map(),
  past: new Map(),
  announced: new Map(),
  nextRollout: 1,
};

export const nothingSaved: SavedState = {
  durable: initialDurableState,
  ...nothingServed,
  origins: new Map(),
};

/** What must be written to bring the store from `before` to `after`; empty where nothing must. */
export function changedSaved(before: SavedState, after: SavedState): readonly StoreWrite[] {
  const { generation, servedGeneration, origins } = after;
  return [
    ...changedValues(before.durable, after.durable),
    // Since when a position is served changes with the number of the newest publication only.
    ...(generation === before.generation
      ? []
      : [{ kind: 'served', key: '', json: JSON.stringify([generation, [...servedGeneration]]) }]),
    ...changedOrigins(before.origins, origins),
  ];
}

/** The same for the durable state alone: what must be written to bring the store from `before` to `after`; empty where nothing must. */
export function changedValues(before: DurableState, after: DurableState): readonly StoreWrite[] {
  return [
    ...changedMeshes(before.meshes, after.meshes),
    ...changedMap('rollout', before.rollouts, after.rollouts),
    ...changedMap('held', before.held, after.held),
    ...changedMap('past', before.past, after.past),
    ...changedMap('announced', before.announced, after.announced),
    ...changedMap('revision', before.repositories, after.repositories),
    ...changedMap('text', before.texts, after.texts),
    ...changedOwners(before.owners, after.owners),
    ...changedValue('nextRollout', before.nextRollout, after.nextRollout),
  ];
}

function changedValue(kind: string, before: unknown, after: unknown): readonly StoreWrite[] {
  return before === after ? [] : [{ kind, key: '', json: JSON.stringify(after) }];
}

/** One value: it is read and written as a whole. */
function changedOwners(
  before: DurableState['owners'],
  after: DurableState['owners'],
): readonly StoreWrite[] {
  const isSame =
    before === after ||
    (before.size === after.size && [...after].every(([key, name]) => before.get(key) === name));
  return isSame ? [] : [{ kind: 'owners', key: '', json: JSON.stringify([...after]) }];
}

function changedMap<T extends Stored>(
  kind: string,
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly StoreWrite[] {
  if (before === after) {
    return [];
  }
  const writes: StoreWrite[] = [];
  for (const [key, value] of after) {
    const known = before.get(key);
    if (known === undefined || mustWrite(known, value)) {
      writes.push({ kind, key, json: JSON.stringify(value) });
    }
  }
  for (const key of before.keys()) {
    if (!after.has(key)) {
      writes.push({ kind, key, json: null });
    }
  }
  return writes;
}

type Stored =
  | Rollout
  | HeldChange
  | readonly AnnouncedEndpoint[]
  | readonly PastState[]
  | RevisionState
  | RepositoryText;

function mustWrite(before: Stored, after: Stored): boolean {
  if (before === after) {
    return false;
  }
  if ('phase' in before && 'phase' in after) {
    return !sameValue(durablePart(before), durablePart(after));
  }
  return true;
}

/** All of a rollout but the figures of its gates, which come anew with every load report. */
function durablePart(rollout: Rollout) {
  const { group, plan, gates, ...rest } = rollout;
  const verdicts = gates.map(({ name, verdict, failures, judgedUntilMs }) => ({
    name,
    verdict,
    failures,
    judgedUntilMs,
  }));
  // The group and the plan are frozen at the start: only what moves is compared.
  return { ...rest, verdicts };
}

/** The state that `values` hold. Throws where they are not what `changedValues` wrote. */
export function restoreState(
  values: readonly { readonly kind: string; readonly key: string; readonly json: string }[],
): DurableState {
  return assembleState(
    values.map(({ kind, key, json }) => ({ kind, key, value: JSON.parse(json) })),
  );
}

export type ParsedValue = {
  readonly kind: string;
  readonly key: string;
  readonly value: unknown;
};

/** All that `values` hold of a commit. Throws where they are not what `changedSaved` wrote. */
export function restoreSaved(
  values: readonly { readonly kind: string; readonly key: string; readonly json: string }[],
): SavedState {
  return assembleSaved(
    values.map(({ kind, key, json }) => ({ kind, key, value: JSON.parse(json) })),
  );
}

/** What of a commit is a row for each resource or file, put together. */
export interface SavedRows {
  readonly meshes: MeshRows;
  readonly origins: Origins;
}

export const noRows: SavedRows = { meshes: noMeshRows, origins: new Map() };

/** The same of values that were parsed already; the rows are those in `values` unless they are given. */
export function assembleSaved(
  values: readonly ParsedValue[],
  { meshes, origins } = takeRows(noRows, values),
): SavedState {
  return {
    durable: assembleState(values, meshes),
    ...servedOf(values),
    origins,
  };
}

/** `rows` with those of `values` that are such rows. */
export function takeRows(rows: SavedRows, values: readonly ParsedValue[]): SavedRows {
  return {
    meshes: takeMeshRows(rows.meshes, values.filter(isMeshRow)),
    origins: takeOriginRows(rows.origins, values.filter(isOriginRow)),
  };
}

function servedOf(values: readonly ParsedValue[]): Served {
  const value = values.find(({ kind }) => kind === 'served')?.value;
  if (value === undefined) {
    return nothingServed;
  }
  const [generation, rollouts] = value as readonly [number, readonly (readonly [string, number])[]];
  return { generation, servedGeneration: new Map(rollouts) };
}

/** The durable state of values that were parsed already; `meshes` are those in `values` unless they are given. */
export function assembleState(
  values: readonly ParsedValue[],
  meshes: MeshRows = takeMeshRows(noMeshRows, values.filter(isMeshRow)),
): DurableState {
  const rollouts: Rollout[] = [];
  const held = new Map<string, HeldChange>();
  const past = new Map<string, readonly PastState[]>();
  const announced = new Map<string, readonly AnnouncedEndpoint[]>();
  const repositories = new Map<string, RevisionState>();
  const texts = new Map<string, RepositoryText>();
  let { owners, nextRollout } = initialDurableState;
  for (const { kind, key, value } of values) {
    switch (kind) {
      case 'rollout':
        rollouts.push(value as Rollout);
        break;
      case 'held':
        held.set(key, value as HeldChange);
        break;
      case 'past':
        past.set(key, value as readonly PastState[]);
        break;
      case 'announced':
        announced.set(key, value as readonly AnnouncedEndpoint[]);
        break;
      case 'revision':
        repositories.set(key, value as RevisionState);
        break;
      case 'text':
        texts.set(key, value as RepositoryText);
        break;
      case 'owners':
        owners = new Map(value as readonly [string, string][]);
        break;
      case 'nextRollout':
        nextRollout = value as number;
        break;
      default:
        // A row of a mesh or of a file, `served`, the keeper's mark, or a newer version's that runs beside this one.
        break;
    }
  }
  rollouts.sort(
    (left, right) => left.startedAtMs - right.startedAtMs || numberOf(left) - numberOf(right),
  );
  return {
    repositories,
    texts,
    owners,
    meshes: meshStates(meshes),
    rollouts: new Map(rollouts.map((rollout) => [rollout.id, rollout])),
    held,
    past: new Map([...past].sort(byAge)),
    announced,
    nextRollout,
  };
}

/** In the order in which they were added, which is that of their newest. */
function byAge(
  left: readonly [string, readonly PastState[]],
  right: readonly [string, readonly PastState[]],
): number {
  return (left[1].at(-1)?.atMs ?? 0) - (right[1].at(-1)?.atMs ?? 0);
}

function numberOf(rollout: Rollout): number {
  return Number(rollout.id.slice(rollout.id.lastIndexOf('-') + 1));
}
