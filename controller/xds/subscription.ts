/**
 * What a client wants of one resource type: everything (`*`), names, or both. The rules, the historical
 * ones among them, are those of the xDS protocol, "How the client specifies what resources to return"
 * and "Unsubscribing from Resources". Whether a resource exists plays no part here.
 */
import type { ResourceType } from '../envoy/snapshot.js';

export interface Subscription {
  isWildcard: boolean;
  /** The names that were asked for in so many words. */
  names: Set<string>;
  /** A client that never named anything means everything by an empty list; once it has, nothing. */
  hasNamed: boolean;
}

/** What a request changed in a subscription. */
export interface SubscriptionChange {
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  readonly wildcard: 'added' | 'dropped' | 'kept';
}

const wildcardName = '*';

/** Types whose empty first request means everything; for the others it means nothing. */
const legacyWildcardTypes: ReadonlySet<ResourceType> = new Set<ResourceType>([
  'cluster',
  'listener',
]);

export function noSubscription(): Subscription {
  return { isWildcard: false, names: new Set(), hasNamed: false };
}

export function isSubscribed(subscription: Subscription, name: string): boolean {
  return subscription.isWildcard || subscription.names.has(name);
}

/** State of the world: `resourceNames` is the whole list that holds from now on. */
export function replaceNames(
  subscription: Subscription,
  type: ResourceType,
  resourceNames: readonly string[],
): SubscriptionChange {
  const wasWildcard = subscription.isWildcard;
  const before = subscription.names;
  const after = new Set(resourceNames);
  const isExplicitWildcard = after.delete(wildcardName) && allowsWildcard(type);
  // Some clients unsubscribe from everything by naming the empty name.
  after.delete('');
  subscription.hasNamed ||= resourceNames.length > 0;
  subscription.names = after;
  subscription.isWildcard =
    isExplicitWildcard || (!subscription.hasNamed && legacyWildcardTypes.has(type));
  return {
    added: [...after].filter((name) => !before.has(name)),
    dropped: [...before].filter((name) => !after.has(name)),
    wildcard: wildcardChange(wasWildcard, subscription.isWildcard),
  };
}

/**
 * Delta: what a request adds and takes away. `added` has the names that it subscribes to, known ones
 * too, since a client may have forgotten what it had; `dropped` only those that were subscribed.
 */
export function changeNames(
  subscription: Subscription,
  type: ResourceType,
  request: {
    readonly subscribe: readonly string[];
    readonly unsubscribe: readonly string[];
    readonly isFirst: boolean;
  },
): SubscriptionChange {
  const wasWildcard = subscription.isWildcard;
  const subscribe = new Set(request.subscribe);
  const unsubscribe = new Set(request.unsubscribe);
  const asksForAll = subscribe.delete(wildcardName) && allowsWildcard(type);
  subscribe.delete('');
  const isLegacy =
    request.isFirst && request.subscribe.length === 0 && request.unsubscribe.length === 0;
  subscription.hasNamed ||= request.subscribe.length > 0;
  subscription.isWildcard ||= asksForAll || (isLegacy && legacyWildcardTypes.has(type));
  for (const name of subscribe) {
    subscription.names.add(name);
  }
  if (unsubscribe.delete(wildcardName)) {
    subscription.isWildcard = false;
  }
  const dropped = [...unsubscribe].filter((name) => subscription.names.delete(name));
  const change = wildcardChange(wasWildcard, subscription.isWildcard);
  return {
    added: [...subscribe].filter((name) => subscription.names.has(name)),
    dropped,
    wildcard: asksForAll && subscription.isWildcard ? 'added' : change,
  };
}

/** Secrets are given by name only: nobody needs all of them. */
function allowsWildcard(type: ResourceType): boolean {
  return type !== 'secret';
}

function wildcardChange(before: boolean, after: boolean): SubscriptionChange['wildcard'] {
  if (before === after) {
    return 'kept';
  }
  return after ? 'added' : 'dropped';
}
