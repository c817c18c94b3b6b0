/**
 * The configuration of one proxy as people read it: each resource that it is to have beside the one that
 * it acknowledged, both as proto JSON made from the very bytes that were sent. Secrets are named, and what
 * is in them is left out.
 */
import { resourceJson } from '../envoy/resource-json.js';
import { resourceTypes } from '../envoy/snapshot.js';
import type { ProxyResource, TypeState } from '../loop/ports.js';
import { type ProxyTypeName, proxyTypeNames } from './proxy-view.js';

export interface ProxyConfigView {
  readonly resources: readonly ProxyResourceView[];
}

export interface ProxyResourceView {
  readonly type: ProxyTypeName;
  readonly name: string;
  readonly state: TypeState;
  readonly error?: string;
  /** What it is to have; null: it is to be removed. */
  readonly desired: ConfigVersionView | null;
  /** What it has acknowledged; null: nothing. */
  readonly running: ConfigVersionView | null;
}

export interface ConfigVersionView {
  readonly version: string;
  /** Undefined for secrets, and for what a proxy brought along from before this controller ran. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** In the order in which types are sent, then by name. */
export function viewProxyConfig(resources: readonly ProxyResource[]): ProxyConfigView {
  const sorted = [...resources].sort(
    (left, right) =>
      resourceTypes.indexOf(left.type) - resourceTypes.indexOf(right.type) ||
      (left.name < right.name ? -1 : 1),
  );
  return {
    resources: sorted.map((resource) => ({
      type: proxyTypeNames[resource.type],
      name: resource.name,
      state: resource.state,
      error: resource.error,
      desired: viewVersion(resource, resource.desired),
      running: viewVersion(resource, resource.running),
    })),
  };
}

function viewVersion(
  { type }: ProxyResource,
  held: ProxyResource['running'],
): ConfigVersionView | null {
  if (held === undefined) {
    return null;
  }
  const { version, any } = held;
  return { version, json: type === 'secret' || any === undefined ? undefined : resourceJson(any) };
}
