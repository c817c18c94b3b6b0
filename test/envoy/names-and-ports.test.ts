/** Names of clusters and back, and the ports that explicit proxies and their endpoints have. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { localPorts } from '../../controller/envoy/egress-tcp.js';
import { endpointsOf } from '../../controller/envoy/endpoints.js';
import { clusterIndex } from '../../controller/envoy/names.js';
import type { Protocol, StaticEndpoint, VirtualNode } from '../../controller/mesh/model.js';
import { meshOf } from '../support/mesh.js';

const test = suite('names and ports');

test('a cluster is found by its name, whatever underscores are in it', () => {
  const mesh = { ...meshOf([{ name: 'a', weights: { v1: 1 } }]), name: 'my_mesh' };
  const [first, ...others] = mesh.virtualNodes;
  const nodes = [{ ...first, name: 'a_http_80' } as VirtualNode, ...others];
  const index = clusterIndex([{ ...mesh, virtualNodes: nodes }]);
  const owner = { mesh: 'my_mesh', virtualNode: 'a_http_80', port: 8080 };
  const name = (direction: string) => index.get(`cds_${direction}_my_mesh_a_http_80_http_8080`);
  assert.equal(name('egress'), { ...owner, direction: 'egress' });
  assert.equal(name('ingress'), { ...owner, direction: 'ingress' });
  const baseline = index.get('cds_egress_my_mesh_a_http_80_http_8080_baseline');
  assert.equal(baseline, { ...owner, direction: 'egress', role: 'baseline' });
  assert.is(index.size, 3, 'a node without listeners has no cluster');
});

test('a name that two meshes share belongs to neither', () => {
  const mesh = meshOf([{ name: 'c', weights: { v1: 1 } }]);
  const [node, ...others] = mesh.virtualNodes;
  const named = (meshName: string, name: string) => ({
    ...mesh,
    name: meshName,
    virtualNodes: [{ ...node, name } as VirtualNode, ...others],
  });
  assert.is(clusterIndex([named('a', 'b_c'), named('a_b', 'c')]).size, 0);
  assert.is(clusterIndex([named('a', 'b'), named('a_b', 'c')]).size, 6);
});

function service(name: string, port: number) {
  const reached = {
    service: { kind: 'VirtualService' as const, name, labels: {} },
    ports: [],
  };
  return { reached, port: { port, protocol: 'tcp' as const, routes: [] } };
}

const egress = { address: '127.0.0.1', port: 15_001 };

test('a TCP service has the egress port plus its own, whoever else is there', () => {
  const redis = service('redis', 6379);
  assert.equal(localPorts(egress, [redis], []), [21_380]);
  assert.equal(localPorts(egress, [service('db', 5432), redis], []), [20_433, 21_380]);
});

test('where a local port is taken the later service moves up to a free one', () => {
  const services = [service('a', 6379), service('b', 6379), service('c', 6380)];
  assert.equal(localPorts(egress, services, []), [21_380, 21_381, 21_382]);
  assert.equal(localPorts(egress, services, [21_381]), [21_380, 21_382, 21_383]);
});

test('local ports that would be too high start again above the privileged ones', () => {
  const high = { address: '127.0.0.1', port: 65_535 };
  assert.equal(localPorts(high, [service('a', 1)], []), [1024]);
  const ports = localPorts({ ...high, port: 60_000 }, [service('a', 65_535)], []);
  assert.equal(ports, [61_023]);
});

function endpoints(ports: readonly number[], written: readonly StaticEndpoint[]) {
  const listeners = ports.map((port) => ({ port, protocol: 'http' as Protocol }));
  const node: VirtualNode = {
    kind: 'VirtualNode',
    name: 'a',
    labels: {},
    listeners,
    serviceDiscovery: { kind: 'static', endpoints: written },
    backends: [],
  };
  return listeners.map((listener) =>
    endpointsOf({ node, listener }).map(({ address, port }) => `${address}:${port}`),
  );
}

test('a node with one listener has it at every endpoint', () => {
  const written = [
    { address: '10.0.0.1', port: 8080 },
    { address: '10.0.0.1', port: 9080 },
    { address: '10.0.0.2', port: 15_000 },
  ];
  assert.equal(endpoints([8080], written), [['10.0.0.1:8080', '10.0.0.1:9080', '10.0.0.2:15000']]);
});

test('with several listeners an endpoint is a listener, or a proxy that has them one after another', () => {
  const written = [
    { address: '10.0.0.1', port: 8080 },
    { address: '10.0.0.1', port: 9080 },
    { address: '10.0.0.2', port: 15_000 },
  ];
  assert.equal(endpoints([8080, 9080, 7080], written), [
    ['10.0.0.1:8080', '10.0.0.2:15000'],
    ['10.0.0.1:9080', '10.0.0.2:15001'],
    ['10.0.0.2:15002'],
  ]);
});

test.run();
