/**
 * Proxies that connect, acknowledge and leave, and what they announce of themselves. Both are kept by
 * what is there now: an event may meet a store that is down, and no second one would tell of it.
 */
import { type Announced, announce, compareWith, expire, withdraw } from './announced.js';
import type { LoopEvent } from './events.js';
import type { ProxyStatus } from './ports.js';
import type { DurableState, LoopState } from './state.js';

/** Connected, or with a newer acknowledgement. */
export function takeProxy(state: LoopState, proxy: ProxyStatus, nowMs: number): LoopState {
  const seen = withProxies(state, (proxies) => proxies.set(proxy.id, proxy));
  return withAnnounced(seen, announce(state.durable.announced, proxy, nowMs));
}

/** A reconnect may overlap the stream that it replaces: only an instance's last stream counts. */
export function loseProxy(
  state: LoopState,
  event: Extract<LoopEvent, { kind: 'proxyDisconnected' }>,
  nowMs: number,
): LoopState {
  const proxy = state.proxies.get(event.id);
  const rest = withProxies(state, (proxies) => proxies.delete(event.id));
  const isSameInstance = (other: ProxyStatus) =>
    other.identity.instance === proxy?.identity.instance;
  if (proxy === undefined || [...rest.proxies.values()].some(isSameInstance)) {
    return rest;
  }
  return withAnnounced(rest, withdraw(state.durable.announced, proxy, event.clean, nowMs));
}

export function withProxies(
  state: LoopState,
  change: (proxies: Map<string, ProxyStatus>) => unknown,
): LoopState {
  const proxies = new Map(state.proxies);
  change(proxies);
  return { ...state, proxies };
}

function withAnnounced(state: LoopState, announced: Announced): LoopState {
  return announced === state.durable.announced
    ? state
    : { ...state, durable: { ...state.durable, announced } };
}

/** The announced endpoints by the streams that live, without those that were lost for too long. */
export function reviewAnnounced(
  durable: DurableState,
  proxies: Iterable<ProxyStatus>,
  nowMs: number,
): DurableState {
  const announced = expire(compareWith(durable.announced, proxies, nowMs), nowMs);
  return announced === durable.announced ? durable : { ...durable, announced };
}
