/**
 * What a client wants of one resource type: everything (`*`), names, or both. The rules, the historical
 * ones among them, are those of the xDS protocol, "How the client specifies what resources to return"
 * and "Unsubscribing from Resources". Whether a resource exists plays no part here.
 */
import { identityMemo } from '../envoy/memo.js';
import type { ResourceType } from '../envoy/snapshot.js';
import { type NamedList, noNames } from './named-list.js';
import { SubscribedNames } from './subscribed-names.js';

export interface Subscription {
  isWildcard: boolean;
  /** The names that were asked for in so many words. */
  readonly names: SubscribedNames;
  /** A client that never named anything means everything by an empty list; once it has, nothing. */
  hasNamed: boolean;
  /** Names that were asked for since the stream began, each as often as that was news. */
  askedFor: number;
}

/** What a request changed in a subscription. */
export interface SubscriptionChange {
  readonly added: ReadonlySet<string>;
  readonly dropped: ReadonlySet<string>;
  readonly wildcard: 'added' | 'dropped' | 'kept';
}

/** Types whose empty first request means everything; for the others it means nothing. */
const legacyWildcardTypes: ReadonlySet<ResourceType> = new Set<ResourceType>([
  'cluster',
  'listener',
]);

export function noSubscription(): Subscription {
  return { isWildcard: false, names: new SubscribedNames(), hasNamed: false, askedFor: 0 };
}

export function isSubscribed(subscription: Subscription, name: string): boolean {
  return subscription.isWildcard || subscription.names.has(name);
}

/** State of the world: `list` is the whole list that holds from now on. */
export function replaceNames(
  subscription: Subscription,
  type: ResourceType,
  list: NamedList,
): SubscriptionChange {
  const wasWildcard = subscription.isWildcard;
  // In the state of the world the names are always those of a list, so that nothing is copied here.
  const before = subscription.names.whole ?? new Set(subscription.names);
  subscription.hasNamed ||= !list.isEmpty;
  const added = without(list.names, before);
  const dropped = without(before, list.names);
  if (added.size > 0 || dropped.size > 0) {
    // Else it is the list that there is already, which perhaps others have too.
    subscription.names.replace(list.names);
    subscription.askedFor += added.size;
  }
  subscription.isWildcard =
    (list.hasWildcard && allowsWildcard(type)) ||
    (!subscription.hasNamed && legacyWildcardTypes.has(type));
  return {
    added,
    dropped,
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
    readonly subscribe: NamedList;
    readonly unsubscribe: NamedList;
    readonly isFirst: boolean;
  },
): SubscriptionChange {
  const { subscribe, unsubscribe } = request;
  const wasWildcard = subscription.isWildcard;
  const asksForAll = subscribe.hasWildcard && allowsWildcard(type);
  const isLegacy = request.isFirst && subscribe.isEmpty && unsubscribe.isEmpty;
  subscription.hasNamed ||= !subscribe.isEmpty;
  subscription.isWildcard ||= asksForAll || (isLegacy && legacyWildcardTypes.has(type));
  if (unsubscribe.hasWildcard) {
    subscription.isWildcard = false;
  }
  subscription.names.addAll(subscribe.names);
  const dropped = [...unsubscribe.names].filter((name) => subscription.names.delete(name));
  const change = wildcardChange(wasWildcard, subscription.isWildcard);
  subscription.askedFor += subscribe.names.size;
  return {
    added: without(subscribe.names, unsubscribe.names),
    dropped: dropped.length === 0 ? noNames : new Set(dropped),
    wildcard: asksForAll && subscription.isWildcard ? 'added' : change,
  };
}

const differences = identityMemo<ReadonlySet<string>>();

/** The same set wherever it is made of the same sets, and `names` itself where nothing is taken away. */
function without(names: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  if (names === others || names.size === 0) {
    return noNames;
  }
  if (others.size === 0) {
    return names;
  }
  return differences([names, others], '', () => {
    const left = [...names].filter((name) => !others.has(name));
    return left.length === names.size ? names : new Set(left);
  });
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
