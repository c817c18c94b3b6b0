/**
 * What a proxy cannot be believed about itself when it comes back. Envoy applies the good parts of a
 * response that it refuses, and still says to have the versions from before; whether it refused what was
 * on its way when its stream broke, nobody knows.
 */
import type { ResourceType } from '../envoy/snapshot.js';
import { doubtfulNamesMax } from './limits.js';
import type { StreamState } from './stream-state.js';
import type { TypeState } from './type-state.js';

/** By type the names whose versions must not be believed; `all` where that is not known, or too many. */
export type Doubts = ReadonlyMap<ResourceType, ReadonlySet<string> | 'all'>;

export const noDoubts: Doubts = new Map();

/** What the next stream of the same client must not be believed. Empty where everything is clear. */
export function doubtsOf(stream: StreamState): Doubts {
  const doubts = new Map<ResourceType, ReadonlySet<string> | 'all'>();
  for (const state of stream.types.values()) {
    const names = state.isOpen ? doubtfulNames(state) : stream.doubts.get(state.type);
    if (names !== undefined && (names === 'all' || names.size > 0)) {
      doubts.set(state.type, names === 'all' || names.size > doubtfulNamesMax ? 'all' : names);
    }
  }
  return doubts;
}

export function isDoubted(doubts: Doubts, type: ResourceType, name: string): boolean {
  const names = doubts.get(type);
  return names === 'all' || (names?.has(name) ?? false);
}

/**
 * After a refusal everything, since a client may have carried out a part of what it refused, removals
 * too, and does not say so for as long as it lives. Else those names for which something was on its way
 * in place of what the client had by then, or is to be: of what it did not have before, it can only say
 * to have the very version that was sent.
 */
function doubtfulNames(state: TypeState): ReadonlySet<string> | 'all' {
  const { acked, asked, inFlight, refused, uncertain } = state;
  if (refused.size + uncertain.size > 0) {
    return 'all';
  }
  const doubtful = new Set([...asked].filter((name) => acked.has(name)));
  const sent = new Set<string>();
  for (const { resources, removed } of inFlight) {
    for (const name of [...resources.map((resource) => resource.name), ...removed]) {
      if (acked.has(name) || sent.has(name)) {
        doubtful.add(name);
      }
      sent.add(name);
    }
  }
  return doubtful;
}
