/**
 * What a revision changes in the configuration of Envoys: each resource that some proxy is given before or
 * after, for proxies whose traffic is redirected to App Mesh's ports. A change that many proxies share is
 * one, with the names of all of them. New proxies are given what they are given; only those that exist
 * before and after are compared.
 */
import { compareText } from '../base/problem.js';
import type { FieldChange } from '../diff/change.js';
import { diffFields } from '../diff/fields.js';
import { resourceJson } from '../envoy/resource-json.js';
import {
  type EncodedResource,
  type ProxyIdentity,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../envoy/snapshot.js';
import { snapshotFor } from '../envoy/translate.js';
import type { Mesh } from '../mesh/model.js';

export interface EnvoyChange {
  readonly action: 'created' | 'configured' | 'deleted';
  readonly type: ResourceType;
  /** Of the Envoy resource. */
  readonly name: string;
  /** `VirtualNode web`, sorted: whose proxies are given it. */
  readonly proxies: readonly string[];
  /** Empty for created and deleted. Paths are those of Envoy's own messages. */
  readonly fields: readonly FieldChange[];
}

/** The changes from `applied` to `desired`, sorted by type and name; undefined: nothing is applied. */
export function envoyChanges(applied: Mesh | undefined, desired: Mesh): readonly EnvoyChange[] {
  const changes = new Map<string, EnvoyChange>();
  for (const proxy of proxiesOf(desired)) {
    const before = applied === undefined ? undefined : snapshotFor(applied, proxy);
    const after = snapshotFor(desired, proxy);
    if (before !== undefined && after !== undefined) {
      collect(before, after, proxy, changes);
    }
  }
  return [...changes.values()].sort(
    (left, right) =>
      resourceTypes.indexOf(left.type) - resourceTypes.indexOf(right.type) ||
      compareText(left.name, right.name) ||
      compareText(left.proxies[0] ?? '', right.proxies[0] ?? ''),
  );
}

function proxiesOf(mesh: Mesh): readonly ProxyIdentity[] {
  return [...mesh.virtualNodes, ...mesh.virtualGateways].map(({ kind, name }) => ({
    nodeId: `${kind} ${name}`,
    instance: '',
    kind: 'envoy',
    resource: { mesh: mesh.name, kind, name },
  }));
}

function collect(
  before: Snapshot,
  after: Snapshot,
  proxy: ProxyIdentity,
  changes: Map<string, EnvoyChange>,
): void {
  for (const type of resourceTypes) {
    const names = new Set([...before[type].byName.keys(), ...after[type].byName.keys()]);
    for (const name of names) {
      const left = before[type].byName.get(name);
      const right = after[type].byName.get(name);
      if (left?.version !== right?.version) {
        const key = `${type}\n${name}\n${left?.version ?? ''}\n${right?.version ?? ''}`;
        const known = changes.get(key) ?? compare(type, name, left, right);
        const proxies = [...known.proxies, proxy.nodeId].sort(compareText);
        changes.set(key, { ...known, proxies });
      }
    }
  }
}

function compare(
  type: ResourceType,
  name: string,
  before: EncodedResource | undefined,
  after: EncodedResource | undefined,
): EnvoyChange {
  if (before === undefined || after === undefined) {
    const action = before === undefined ? 'created' : 'deleted';
    return { action, type, name, proxies: [], fields: [] };
  }
  const fields = diffFields(resourceJson(before.any), resourceJson(after.any));
  return { action: 'configured', type, name, proxies: [], fields };
}
