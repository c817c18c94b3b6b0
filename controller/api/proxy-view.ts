/** A connected proxy as the API shows it: what it was sent, what it acknowledged, what it refused. */
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { ProxyStatus, ProxyTypeStatus, TypeState } from '../loop/ports.js';
import { viewTime } from './rollout-view.js';

export type ProxyTypeName = 'cds' | 'eds' | 'lds' | 'rds' | 'sds';

export interface ProxyView {
  readonly id: string;
  /** As the proxy sent it; several replicas may share it. */
  readonly node: string;
  readonly address: string;
  readonly connectedAt: string;
  /** Only the types that the proxy has asked for. */
  readonly types: Readonly<Partial<Record<ProxyTypeName, ProxyTypeView>>>;
  /** The worst of its types' states. */
  readonly state: TypeState;
  readonly userAgent: string;
}

export interface ProxyTypeView {
  readonly state: TypeState;
  readonly version: string;
  readonly ackedVersion: string;
  readonly since: string;
  readonly error?: string;
}

/** The names of the discovery services, which is what people know the types by. */
export const proxyTypeNames: Readonly<Record<ResourceType, ProxyTypeName>> = {
  cluster: 'cds',
  endpoint: 'eds',
  listener: 'lds',
  route: 'rds',
  secret: 'sds',
};

export function viewProxy(proxy: ProxyStatus): ProxyView {
  const types = resourceTypes.flatMap((type) => {
    const status = proxy.types[type];
    return status === undefined ? [] : [[proxyTypeNames[type], viewType(status)] as const];
  });
  return {
    id: proxy.id,
    node: proxy.identity.nodeId,
    address: proxy.address,
    connectedAt: viewTime(proxy.connectedAtMs),
    types: Object.fromEntries(types),
    state: proxyState(proxy),
    userAgent: proxy.userAgent,
  };
}

/** `notSent` where the proxy has asked for nothing yet. */
export function proxyState(proxy: ProxyStatus): TypeState {
  const states = Object.values(proxy.types).map((status) => status.state);
  const worstFirst: readonly TypeState[] = ['rejected', 'stale', 'notSent', 'synced'];
  return worstFirst.find((state) => states.includes(state)) ?? 'notSent';
}

function viewType(status: ProxyTypeStatus): ProxyTypeView {
  return {
    state: status.state,
    version: status.version,
    ackedVersion: status.ackedVersion,
    since: viewTime(status.sinceMs),
    error: status.error,
  };
}
