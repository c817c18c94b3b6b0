/**
 * What to answer for endpoints or a secret that cannot be sent as desired, because they are gone or were
 * refused, while the client has a cluster that refers to them and may be warming it. Without an answer
 * Envoy warms that cluster for ever, and while it warms one, it acknowledges none of its clusters, not
 * even a list from which that one is gone (seen with 1.40).
 */
import type { EncodedResource, ResourceType } from '../envoy/snapshot.js';
import { emptyAssignment } from './empty-assignment.js';
import type { StreamState } from './stream-state.js';
import {
  type Held,
  heldVersions,
  isEncoded,
  isRefused,
  lastSent,
  type TypeState,
} from './type-state.js';

/**
 * What the client has, or endpoints that others were given, or no endpoints where it has none; else
 * undefined. A secret of others is never given away: a client may say to have clusters that name it.
 */
export function substituteFor(
  stream: StreamState,
  state: TypeState,
  name: string,
): EncodedResource | undefined {
  if (!isReferred(stream, state, name)) {
    return undefined;
  }
  const held = heldVersions(state, name);
  const isGood = (each: Held | undefined): each is EncodedResource =>
    isEncoded(each) && !isRefused(state, each);
  const latest =
    state.type === 'endpoint' ? stream.options.findLatest(state.type, name) : undefined;
  const known = [lastSent(state, name), ...held, latest].find(isGood);
  // An assignment of which only the version is known has endpoints, and they must not be taken away.
  const isUnknown = held.some((each) => each !== undefined && !isEncoded(each));
  if (known !== undefined || isUnknown || state.type !== 'endpoint') {
    return known;
  }
  const empty = emptyAssignment(name);
  return isRefused(state, empty) ? undefined : empty;
}

/** A cluster that the client has, or may have, and that is not settled refers to `name`. */
function isReferred({ types }: StreamState, { type }: TypeState, name: string): boolean {
  const clusters = types.get('cluster');
  if (clusters === undefined || (type !== 'endpoint' && type !== 'secret')) {
    return false;
  }
  return [clusters.changed, clusters.pending, clusters.uncertain].some((unsettled) =>
    [...unsettled.keys()].some((cluster) =>
      heldVersions(clusters, cluster).some((held) => mayRefer(held, type, name)),
    ),
  );
}

function mayRefer(held: Held | undefined, type: ResourceType, name: string): boolean {
  if (held === undefined || !isEncoded(held)) {
    return held !== undefined;
  }
  return held.references.some((each) => each.type === type && each.name === name);
}
