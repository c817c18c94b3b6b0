/**
 * The dashboard's pages as tests and figures look at them: a mesh in which everything is under way, and what
 * each page then shows.
 */
import { proxyId } from '../../controller/base/brand.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import type { ProxyResource, ProxyStatus } from '../../controller/loop/ports.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { twoReplicas } from '../support/members.js';

/** One rollout bakes, one waits for a person, one failed and is held; a proxy refuses its routes. */
const script = [
  'policy steps=10,50,100 bake=30s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0 reviews:v1=100,v2=0 search:v1=100,v2=0',
  'ack',
  'traffic search-v1 ok=90',
  'traffic search-v2 ok=3 err=7',
  'commit b2 checkout:v1=100,v2=0 reviews:v1=100,v2=0 search:v1=0,v2=100',
  'ack',
  'tick 12s',
  'ack',
  'policy steps=10,50,100 bake=30s approve=1',
  'commit c3 checkout:v1=100,v2=0 reviews:v1=0,v2=100 search:v1=0,v2=100',
  'ack',
  'policy steps=10,50,100 bake=1m',
  'commit d4 checkout:v1=0,v2=100 reviews:v1=0,v2=100 search:v1=0,v2=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
  'tick 20s',
];

/** How each is looked at. */
export const views = [
  { name: 'light', scheme: 'light', width: 1280 },
  { name: 'dark', scheme: 'dark', width: 1280 },
  { name: 'phone', scheme: 'light', width: 400 },
] as const;

function proxyOf(name: string, state: 'rejected' | 'synced'): ProxyStatus {
  const sinceMs = Date.now() - 40_000;
  const error = 'no such cluster: cds_egress_demo_checkout-v9_http_8080';
  const synced = { state: 'synced', version: 'c1', ackedVersion: 'c1', sinceMs } as const;
  return {
    id: proxyId(`proxy-${name}`),
    identity: {
      nodeId: 'mesh/demo/virtualNode/web',
      resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
      instance: name,
      kind: 'envoy',
    },
    address: '127.0.0.1:50000',
    connectedAtMs: sinceMs,
    ackedGeneration: 1,
    userAgent: 'envoy 1.40.0',
    types: {
      cluster: synced,
      listener: synced,
      route:
        state === 'synced' ? synced : { state, version: 'r2', ackedVersion: 'r1', sinceMs, error },
    },
  };
}

/** A cluster that runs as it was sent, a route configuration that was refused, and a certificate. */
function proxyResources(): readonly ProxyResource[] {
  const cluster = encodeResource('cluster', 'a cluster', { name: 'a cluster' }, []);
  const before = encodeResource('route', 'a route', { name: 'a route' }, []);
  const after = encodeResource('route', 'a route', { name: 'another route' }, []);
  const secret = encodeResource('secret', 'a secret', { name: 'words that nobody may see' }, []);
  return [
    {
      type: 'route',
      name: 'a route',
      state: 'rejected',
      desired: after,
      running: before,
      error: 'no',
    },
    { type: 'cluster', name: 'a cluster', state: 'synced', desired: cluster, running: cluster },
    { type: 'secret', name: 'a secret', state: 'synced', desired: secret, running: secret },
  ];
}

/** For each page a text that it must show, and a few more. */
export const shownPages = [
  {
    name: 'now',
    path: '/',
    first: 'Waits for you',
    others: [
      'reviews',
      'Held',
      'success rate',
      'In flight',
      'checkout',
      'Baking',
      '1 of 2 synced',
      'leads',
      'follows',
    ],
  },
  {
    name: 'rollout',
    path: '/rollouts/checkout-4',
    first: 'What happened',
    others: ['Baking', 'checkout-v2', 'Weights', '10 %', 'Gates', 'change d4'],
  },
  {
    name: 'rollout-failed',
    path: '/rollouts/search-1',
    first: 'What happened',
    others: ['Rolled back', 'fails', 'The change is held'],
  },
  { name: 'rollouts', path: '/rollouts', first: 'reviews-', others: ['search-1', 'checkout-4'] },
  {
    name: 'mesh',
    path: '/mesh',
    first: 'Mesh demo',
    others: ['web', 'checkout.demo.local', 'router · held', '100 %; Git asks for 0 %'],
  },
  {
    name: 'resource',
    path: '/mesh/demo/VirtualRouter/checkout',
    first: 'changed, not applied yet',
    others: ['rollout checkout-4', 'Leads to', 'Referred to by'],
  },
  {
    name: 'resource-held',
    path: '/mesh/demo/VirtualRouter/search',
    first: 'changed, held',
    others: ['taken back: search-1'],
  },
  {
    name: 'changes',
    path: '/changes',
    first: 'change d4',
    others: ['accepted', 'What it means', 'weight checkout-v2:8080: 0 % → 100 %'],
  },
  { name: 'proxies', path: '/proxies', first: 'proxy-web1', others: ['rejected', 'synced', 'CDS'] },
  {
    name: 'proxy',
    path: '/proxies/proxy-web1',
    first: 'no such cluster',
    others: ['rejected', 'RDS', 'runs what was sent', 'another route', 'a secret'],
  },
  { name: 'events', path: '/events', first: 'checkout-4 Baking', others: ['Export as JSON'] },
] as const;

/** An API over all that. */
export async function runBusyMesh(): Promise<RunningApi> {
  const running = await runApi([], {
    startMs: Date.now() - 60_000,
    proxyResources,
    replicas: () => twoReplicas,
  });
  running.proxies.push(proxyOf('web1', 'rejected'), proxyOf('web2', 'synced'));
  running.run(...script);
  return running;
}
