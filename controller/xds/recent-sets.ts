/**
 * The resource sets that were served lately, by version. A proxy that reconnects says the version of what
 * it has; where that is found here, it is known what the proxy has, and removals can wait as they should.
 */
import { forgetOldest } from '../base/forget-oldest.js';
import type { EncodedResource, ResourceSet, ResourceType } from '../envoy/snapshot.js';

/** For each type: enough for the steps of a rollout over some kinds of proxies. */
const setsMax = 256;

export class RecentSets {
  private readonly sets = new Map<ResourceType, Map<string, ResourceSet>>();

  add(type: ResourceType, set: ResourceSet): void {
    const byVersion = this.sets.get(type) ?? new Map<string, ResourceSet>();
    this.sets.set(type, byVersion);
    byVersion.delete(set.version);
    byVersion.set(set.version, set);
    forgetOldest(byVersion, setsMax);
  }

  find(type: ResourceType, version: string): ResourceSet | undefined {
    return this.sets.get(type)?.get(version);
  }

  /** The newest resource of this name that is in any of the sets. */
  findLatest(type: ResourceType, name: string): EncodedResource | undefined {
    const newestFirst = [...(this.sets.get(type)?.values() ?? [])].reverse();
    return newestFirst.find((set) => set.byName.has(name))?.byName.get(name);
  }
}
