/**
 * One resource type on one stream: what the client wants, what it is known to have, what is on its way
 * and what has still to be said. It is changed in place, unlike the values of the pipeline: it belongs to
 * one stream alone, and an acknowledgement must cost what it acknowledges, not what exists.
 */
import type { EncodedResource, ResourceSet, ResourceType } from '../envoy/snapshot.js';
import type { ProxyTypeStatus } from '../loop/ports.js';
import { NameOverlay, Overlay } from './overlay.js';
import { isSubscribed, noSubscription, type Subscription } from './subscription.js';

/** What a client has under a name; of what it brought along, only the version may be known. */
export type Held = EncodedResource | { readonly name: string; readonly version: string };

/** A response that the client has not yet answered. */
export interface SentResponse {
  readonly nonce: string;
  readonly version: string;
  readonly sentAtMs: number;
  /** Of the publication that it was made from. */
  readonly generation: number;
  readonly resources: readonly EncodedResource[];
  /** Those of `resources` that the client was not known to have. */
  readonly fresh: readonly EncodedResource[];
  readonly removed: readonly string[];
  /** The whole set that `fresh` is, where it is one. */
  readonly wholeSet?: ResourceSet;
}

export interface TypeState {
  readonly type: ResourceType;
  /** State of the world lists of clusters and listeners are complete; whatever is not in them is gone. */
  readonly isFullState: boolean;
  /** The client has sent a request of this type. */
  isRequested: boolean;
  /** The first request was taken up, which waits until there is a snapshot. */
  isOpen: boolean;
  readonly subscription: Subscription;
  /** From the first request: the version that a reconnecting client has (state of the world). */
  initialVersion: string;
  /** From the first request: the versions of the resources that a reconnecting client has (delta). */
  initialVersions: ReadonlyMap<string, string>;
  /** What the client has acknowledged, or has said to have. */
  readonly acked: Overlay<Held>;
  /** What is on its way, newest, by name; undefined is a removal. */
  readonly pending: Overlay<EncodedResource | undefined>;
  /** Unanswered responses, oldest first. More than one only where a client is silent for too long. */
  readonly inFlight: SentResponse[];
  /** Of the newest response; empty before the first. */
  lastNonce: string;
  /** The client has acknowledged or refused the newest response. */
  isAnswered: boolean;
  /** Names whose desired state is not what was sent last. */
  readonly changed: NameOverlay;
  /** Names that the client asked for: they are answered though nothing changed. */
  readonly asked: NameOverlay;
  /** The next response is due even if it is empty. */
  owesAnswer: boolean;
  /** The client asked before it had seen what was sent last: its answer does not wait for that. */
  isPressing: boolean;
  /** Names that the client waits for since something that refers to them was sent (state of the world). */
  readonly warming: Set<string>;
  /** Names that a reconnecting client said to have and was therefore not sent (delta). */
  readonly assumed: Set<string>;
  /** When the first of `assumed` was noticed. */
  assumedSinceMs: number | undefined;
  /** Refused versions by name, with the client's own words; they are never sent again on this stream. */
  readonly refused: Map<string, Map<string, string>>;
  /**
   * What the client may have, by name, until it acknowledges something of that name: the contents of
   * refused responses, of which it may have applied a part, and what it brought along unproved.
   */
  readonly uncertain: Map<string, readonly Held[]>;
  status: ProxyTypeStatus;
}

export function createTypeState(
  type: ResourceType,
  options: { readonly isFullState: boolean; readonly nowMs: number },
): TypeState {
  return {
    type,
    isFullState: options.isFullState,
    isRequested: false,
    isOpen: false,
    subscription: noSubscription(),
    initialVersion: '',
    initialVersions: new Map(),
    acked: new Overlay(),
    pending: new Overlay(),
    inFlight: [],
    lastNonce: '',
    isAnswered: false,
    changed: new NameOverlay(),
    asked: new NameOverlay(),
    owesAnswer: false,
    isPressing: false,
    warming: new Set(),
    assumed: new Set(),
    assumedSinceMs: undefined,
    refused: new Map(),
    uncertain: new Map(),
    status: { state: 'notSent', version: '', ackedVersion: '', sinceMs: options.nowMs },
  };
}

export function wants(state: TypeState, name: string): boolean {
  return isSubscribed(state.subscription, name);
}

/** What the client will have under `name` once it has taken all that was sent. */
export function lastSent(state: TypeState, name: string): Held | undefined {
  return state.pending.has(name) ? state.pending.get(name) : state.acked.get(name);
}

/** Everything that the client may have under `name`. */
export function heldVersions(state: TypeState, name: string): readonly (Held | undefined)[] {
  return [state.acked.get(name), state.pending.get(name), ...(state.uncertain.get(name) ?? [])];
}

/** The client has acknowledged a resource of this name, and no removal of it is on its way. */
export function isHeld(state: TypeState, name: string): boolean {
  const isLeaving = state.pending.has(name) && state.pending.get(name) === undefined;
  return state.acked.has(name) && !isLeaving;
}

export function isRefused(state: TypeState, resource: EncodedResource): boolean {
  return state.refused.get(resource.name)?.has(resource.version) ?? false;
}

export function isEncoded(held: Held | undefined): held is EncodedResource {
  return held !== undefined && 'any' in held;
}

/** True where sending `resource` would tell the client something new. */
export function isFresh(state: TypeState, resource: EncodedResource): boolean {
  const { name, version } = resource;
  if (state.pending.has(name)) {
    return state.pending.get(name)?.version !== version;
  }
  return state.uncertain.has(name) || state.acked.get(name)?.version !== version;
}

/** The client no longer wants `name`, so what it has of it is no longer known. */
export function forget(state: TypeState, name: string): void {
  state.acked.delete(name);
  state.pending.delete(name);
  state.changed.delete(name);
  state.asked.delete(name);
  state.warming.delete(name);
  state.uncertain.delete(name);
}

/** A wildcard ended: what only that asked for is neither known nor to be sent any more. */
export function forgetUnwanted(state: TypeState): void {
  const { asked, changed, uncertain } = state;
  for (const name of new Set([...heldNames(state), ...changed, ...asked, ...uncertain.keys()])) {
    if (!wants(state, name)) {
      forget(state, name);
    }
  }
}

/**
 * The client wants `names`, some perhaps again: what is still on its way to it from before it will take
 * after all, though nothing was known of it any more.
 */
export function expectInFlight(state: TypeState, wanted: ReadonlySet<string>): void {
  for (const { resources } of wanted.size === 0 ? [] : state.inFlight) {
    for (const resource of resources) {
      if (wanted.has(resource.name) && !state.pending.has(resource.name)) {
        state.uncertain.set(resource.name, [resource]);
      }
    }
  }
}

/** Names that the client has or is about to have. */
export function heldNames(state: TypeState): Set<string> {
  const names = new Set(state.acked.keys());
  for (const [name, resource] of state.pending) {
    if (resource === undefined) {
      names.delete(name);
    } else {
      names.add(name);
    }
  }
  return names;
}

/**
 * Names of which it is not known that the client has what it is to have, some perhaps more than once. What a
 * client wants and does not have is among them, if it exists, from when the type is open.
 */
export function* unsettledNames(state: TypeState): Generator<string> {
  for (const names of unsettledIn(state)) {
    yield* names.keys();
  }
}

/** At least as many as there are `unsettledNames`. */
export function unsettledCount(state: TypeState): number {
  return unsettledIn(state).reduce((sum, { size }) => sum + size, 0);
}

function unsettledIn({ changed, pending, uncertain, refused }: TypeState) {
  return [changed, pending, uncertain, refused];
}
