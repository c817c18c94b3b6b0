/** The size of a request's node, read off the request's bytes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeMessage } from '../../controller/envoy/encode.js';
import { nodeBytes } from '../../controller/xds/node-size.js';

const node = { id: 'n'.repeat(300), cluster: 'c' };
const size = encodeMessage('envoy.config.core.v3.Node', node).length;

test('of both variants, among all other fields', () => {
  const sotw = encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
    version_info: 'v'.repeat(200),
    node,
    resource_names: ['a', 'b'.repeat(1_000)],
    type_url: 't',
    response_nonce: '1',
    error_detail: { code: 3, message: 'no' },
  });
  assert.is(nodeBytes('sotw', sotw), size);
  const delta = encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
    node,
    initial_resource_versions: { a: '1', ['x'.repeat(500)]: '2' },
    resource_names_subscribe: ['a'],
  });
  assert.is(nodeBytes('delta', delta), size);
});

test('of a request without one, and of several that are merged', () => {
  const without = encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { type_url: 't' });
  assert.is(nodeBytes('sotw', without), 0);
  const one = encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { node });
  assert.is(nodeBytes('sotw', Buffer.concat([one, one])), 2 * size);
});

test('numbers of every width are passed over, and bytes that break off are no request', () => {
  const numbers = Buffer.from([0x48, 0x96, 0x01, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x5d, 1, 2, 3, 4]);
  const one = encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { node });
  assert.is(nodeBytes('sotw', Buffer.concat([numbers, one])), size);
  assert.throws(() => nodeBytes('sotw', Buffer.from([0x80])), /cut short/);
  assert.throws(() => nodeBytes('sotw', Buffer.from([0x12, 0x05])), /cut short/);
});

test.run();
