/** Endpoints that proxies announce: when they come, when they go, and when nobody is taken out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import {
  type Announced,
  allLost,
  announce,
  expire,
  hasLost,
  hasUnready,
  lostGraceMs,
  servedKey,
  unreadyMaxMs,
  withAnnounced,
  withdraw,
} from '../../controller/loop/announced.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import type { Mesh, VirtualNode } from '../../controller/mesh/model.js';
import { meshOf } from '../support/mesh.js';

const endpoints = suite('announced endpoints');

function proxy(name: string, address: string | undefined, port?: number): ProxyStatus {
  return {
    id: proxyId(name),
    identity: {
      nodeId: 'mesh/demo/virtualNode/reviews-v1',
      resource: { mesh: 'demo', kind: 'VirtualNode', name: 'reviews-v1' },
      instance: name,
      announce: address,
      ingress: port === undefined ? undefined : { address: address ?? '0.0.0.0', port },
      kind: 'envoy',
    },
    address: '127.0.0.1:1',
    connectedAtMs: 0,
    ackedGeneration: 1,
    types: {},
    userAgent: 'envoy',
  };
}

const one = proxy('one', '10.0.0.1', 15_000);
const two = proxy('two', '10.0.0.2', 15_000);
const three = proxy('three', '10.0.0.3', 15_000);
const none: Announced = new Map();
/** `proxy` connects, or acknowledges what it was given. */
const come = (announced: Announced, proxy: ProxyStatus) => announce(announced, proxy, 0);
const all = [one, two, three].reduce(come, none);

/** Addresses of reviews-v1 in a mesh where it is announced, sorted. */
function served(announced: Announced): readonly string[] {
  const base = meshOf([{ name: 'reviews', weights: { v1: 100 } }]);
  const virtualNodes = base.virtualNodes.map(
    (node): VirtualNode =>
      node.name === 'reviews-v1' ? { ...node, serviceDiscovery: { kind: 'announced' } } : node,
  );
  const mesh: Mesh = withAnnounced({ ...base, virtualNodes }, announced);
  const node = mesh.virtualNodes.find(({ name }) => name === 'reviews-v1');
  const discovery = node?.serviceDiscovery;
  assert.is(discovery?.kind, 'static');
  return discovery?.kind === 'static'
    ? discovery.endpoints.map(({ address, port }) => `${address}:${port}`).sort()
    : [];
}

endpoints('a proxy is an endpoint while it is connected', () => {
  assert.equal(served(none), []);
  assert.equal(served(all), ['10.0.0.1:15000', '10.0.0.2:15000', '10.0.0.3:15000']);
});

endpoints('a proxy that is not ready is no endpoint until it is, or had the time to be', () => {
  const unready = { ...one, ackedGeneration: 0, connectedAtMs: 1000 };
  assert.is(announce(none, unready, 2000), none);
  assert.ok(hasUnready(none, [unready]));
  assert.equal(
    served(announce(none, { ...unready, ackedGeneration: 1 }, 2000)),
    served(come(none, one)),
  );
  const late = announce(none, unready, 1000 + unreadyMaxMs);
  assert.equal(served(late), served(come(none, one)));
  assert.not.ok(hasUnready(late, [unready]));
});

endpoints('one that was lost and comes back is an endpoint still, ready or not', () => {
  const lost = withdraw(all, one, false, 1000);
  const back = announce(lost, { ...one, ackedGeneration: 0, connectedAtMs: 2000 }, 2000);
  assert.equal(served(back), served(all));
  assert.not.ok(hasLost(back));
});

endpoints('a redirected proxy is reached at the ports of its service', () => {
  assert.equal(served(come(none, proxy('four', '10.0.0.4'))), ['10.0.0.4:8080']);
});

endpoints('a proxy that announces nothing is no endpoint', () => {
  assert.is(come(none, proxy('five', undefined)), none);
});

endpoints('connecting again changes nothing', () => {
  assert.is(come(all, one), all);
});

endpoints('a clean goodbye takes an endpoint out at once', () => {
  assert.equal(served(withdraw(all, one, true, 0)), ['10.0.0.2:15000', '10.0.0.3:15000']);
  assert.is(servedKey(withdraw(come(none, one), one, true, 0)), servedKey(none));
});

endpoints('a broken stream has a grace, and a reconnect within it is no news', () => {
  const broken = withdraw(all, one, false, 1000);
  assert.is(servedKey(broken), servedKey(all));
  assert.ok(hasLost(broken));
  assert.is(expire(broken, 1000 + lostGraceMs - 1), broken);
  const back = come(broken, one);
  assert.not.ok(hasLost(back));
  assert.is(servedKey(expire(back, 1_000_000)), servedKey(all));
  assert.equal(served(expire(broken, 1000 + lostGraceMs)), ['10.0.0.2:15000', '10.0.0.3:15000']);
});

endpoints('when most streams break together nobody is taken out', () => {
  const mass = [one, two, three].reduce((known, lost) => withdraw(known, lost, false, 0), all);
  assert.is(servedKey(expire(mass, 10_000_000)), servedKey(all));
  // Half of them are back: the network is, and who is missing is gone.
  const back = [one, two].reduce(come, mass);
  assert.equal(served(expire(back, 10_000_000)), ['10.0.0.1:15000', '10.0.0.2:15000']);
});

endpoints('a restart keeps all of them until they had time to come back', () => {
  const restored = allLost(all, 5000);
  assert.is(servedKey(restored), servedKey(all));
  const back = [one, two].reduce(come, restored);
  assert.is(expire(back, 5000 + lostGraceMs - 1), back);
  assert.equal(served(expire(back, 5000 + lostGraceMs)), ['10.0.0.1:15000', '10.0.0.2:15000']);
});

endpoints('a mesh without announced nodes is left as it is', () => {
  const mesh = meshOf([{ name: 'reviews', weights: { v1: 100 } }]);
  assert.is(withAnnounced(mesh, all), mesh);
});

endpoints.run();
