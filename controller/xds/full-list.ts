/**
 * What a full list holds: in the state of the world, a response of clusters or listeners is all that the
 * client is to have, and what is not in it is gone. So what has to wait, be it a change, a removal or
 * something refused, stands in it as the client has it now.
 */
import { shortHash } from '../base/hash.js';
import type { EncodedResource, ResourceSet, Snapshot } from '../envoy/snapshot.js';
import { mayHave } from './desire.js';
import { isReady, readiness } from './make-before-break.js';
import type { RemovalCheck } from './removals.js';
import { desiredResource } from './snapshot-changes.js';
import type { Content, StreamState } from './stream-state.js';
import { isEncoded, isRefused, lastSent, type TypeState } from './type-state.js';
import { viewOf } from './view.js';
import { resourcesOf } from './whole-sets.js';

/**
 * The complete list of clusters or listeners: for each name what is desired, or, while that has to wait
 * or was refused, what the client has. Undefined where the client has just this.
 */
export function fullList(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  mayRemove: RemovalCheck,
): Content | undefined {
  const whole = wholeList(stream, snapshot, state, mayRemove);
  if (whole !== undefined) {
    return whole;
  }
  const set = snapshot[state.type];
  const isEffective = (name: string): boolean => {
    const desired = desiredResource(snapshot, state.type, name);
    return desired === undefined ? mayRemove(state, name) : isReady(stream, state.type, desired);
  };
  if (!state.owesAnswer && ![...state.changed].some(isEffective)) {
    return undefined;
  }
  const resources: EncodedResource[] = [];
  let isExact = true;
  for (const name of listedNames(state, set)) {
    const desired = set.byName.get(name);
    const isSendable =
      desired !== undefined && !isRefused(state, desired) && isReady(stream, state.type, desired);
    if (isSendable) {
      resources.push(desired);
    } else if (desired !== undefined || (mayHave(state, name) && !mayRemove(state, name))) {
      isExact = false;
      resources.push(...keptResource(state, name));
    }
  }
  const byName = new Map(resources.map((resource) => [resource.name, resource]));
  const version = isExact ? set.version : listVersion(resources);
  if (!isExact) {
    stream.options.keepSet(state.type, { version, byName });
  }
  return {
    version,
    resources,
    removed: [...state.changed].filter((name) => !byName.has(name) && mayHave(state, name)),
  };
}

/**
 * The same where the list is exactly what is desired: it looks at what changed only. Undefined where it is
 * not, or where there is nothing to say.
 */
function wholeList(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  mayRemove: RemovalCheck,
): Content | undefined {
  const view = viewOf(snapshot, state);
  const isDue = state.owesAnswer || state.changed.size > 0;
  if (view === undefined || !isDue || state.refused.size > 0) {
    return undefined;
  }
  const { set } = view;
  const isAllNew = state.changed.hasWhole(set);
  if (isAllNew && readiness(stream, state.type, set) !== 'all') {
    return undefined;
  }
  const changed = isAllNew ? state.changed.others() : [...state.changed];
  const isExact = changed.every((name) => {
    const desired = set.byName.get(name);
    return desired === undefined ? mayRemove(state, name) : isReady(stream, state.type, desired);
  });
  return isExact
    ? {
        version: set.version,
        resources: resourcesOf(set),
        removed: changed.filter((name) => !set.byName.has(name) && mayHave(state, name)),
        wholeSet: set,
      }
    : undefined;
}

/** What the client has under `name`, none where that is not known well enough to be sent. */
function keptResource(state: TypeState, name: string): readonly EncodedResource[] {
  const candidates = [lastSent(state, name), ...(state.uncertain.get(name) ?? [])];
  return candidates
    .filter(isEncoded)
    .filter((held) => !isRefused(state, held) || held === state.acked.get(name))
    .slice(0, 1);
}

/** The names wanted and, while they are kept, those that are no longer desired. */
function listedNames(state: TypeState, set: ResourceSet): Iterable<string> {
  const { isWildcard, names } = state.subscription;
  return new Set([...(isWildcard ? set.byName.keys() : names), ...state.changed]);
}

/** Of a list that is no set of any snapshot: what is kept for a while, or sent without what was refused. */
function listVersion(resources: readonly EncodedResource[]): string {
  return shortHash(resources.map(({ name, version }) => `${name} ${version}`).join('\n'));
}
