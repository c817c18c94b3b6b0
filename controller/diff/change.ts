/** The vocabulary of differences between the applied and the desired mesh. */
import type { Mesh, Resource, ResourceRef } from '../mesh/model.js';

/** What is applied and what is desired of one mesh: the context in which a change has its meaning. */
export interface Ends {
  readonly applied: Mesh;
  readonly desired: Mesh;
}

/**
 * How a change may be brought to the proxies (design: additive first, config in waves, weighted by
 * steps, subtractive last; operational at once).
 */
export type ChangeClass = 'operational' | 'additive' | 'config' | 'weighted' | 'subtractive';

/** One difference as people read it. */
export interface Change {
  readonly resource: ResourceRef;
  /** The route's name, where the change lies in one route of a virtual router. */
  readonly route?: string;
  readonly class: ChangeClass;
  readonly action: 'created' | 'configured' | 'deleted';
  /** Empty for created and deleted. Sorted by path. */
  readonly fields: readonly FieldChange[];
}

export interface FieldChange {
  /** `targets[reviews-v2:9080].weight`: list elements by their name where they have one. */
  readonly path: string;
  /** Plain JSON; undefined where the field was not there. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** One resource before and after; null where it does not exist. */
export interface ResourceChange {
  readonly ref: ResourceRef;
  readonly before: Resource | null;
  readonly after: Resource | null;
}

/** Changes that refer to one another, so that they are rolled out and rolled back together. */
export interface ChangeGroup {
  readonly mesh: string;
  /** The name that people use: that of the router, else of the first resource that changes. */
  readonly name: string;
  /** Sorted by key; no key is in two groups. */
  readonly resources: readonly ResourceChange[];
  readonly changes: readonly Change[];
}
