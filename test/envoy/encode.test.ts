/** Messages to bytes and back: what is refused, and what must give the same bytes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeMessage, packed } from '../../controller/envoy/encode.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import { plainStruct, struct } from '../../controller/envoy/values.js';
import type { MessageTypes } from '../../controller/generated/envoy-types.js';

const test = suite('encoding of Envoy messages');

type Cluster = MessageTypes['envoy.config.cluster.v3.Cluster'];

/** What the compiler would refuse, as it could still come out of a cast. */
function encodeCluster(message: unknown): Buffer {
  return encodeMessage('envoy.config.cluster.v3.Cluster', message as Cluster);
}

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  return 'nothing was thrown';
}

test('what is decoded is what was encoded, Any and durations and structs too', () => {
  const message: Cluster = {
    name: 'c',
    type: 'EDS',
    connect_timeout: { seconds: 1, nanos: 500_000_000 },
    metadata: { filter_metadata: { headgate: struct({ kind: 'VirtualNode', list: [1, true] }) } },
    typed_extension_protocol_options: {
      options: packed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
        explicit_http_config: { http2_protocol_options: {} },
      }),
    },
  };
  const decoded = decodeMessage('envoy.config.cluster.v3.Cluster', encodeCluster(message));
  assert.equal(decoded, message);
  const metadata = plainStruct(decoded.metadata?.filter_metadata?.headgate);
  assert.equal(metadata, { kind: 'VirtualNode', list: [1, true] });
});

test('maps are encoded in the order of their keys, whatever their order was', () => {
  const forward = struct({ a: 1, b: { c: 2, d: 3 } });
  const backward = struct({ b: { d: 3, c: 2 }, a: 1 });
  const encode = (fields: typeof forward) => encodeMessage('google.protobuf.Struct', fields);
  assert.equal(encode(backward), encode(forward));
});

test('members that are undefined are left out', () => {
  assert.equal(encodeCluster({ name: 'c', type: undefined }), encodeCluster({ name: 'c' }));
});

const refused: readonly (readonly [string, unknown, string])[] = [
  ['an unknown field', { name: 'c', conect_timeout: {} }, 'conect_timeout is no field of'],
  [
    'an unknown field inside Any',
    {
      transport_socket: {
        typed_config: {
          '@type':
            'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
          sny: 'x',
        },
      },
    },
    'transport_socket.typed_config.sny is no field of',
  ],
  [
    'a type that is not in the descriptor',
    { transport_socket: { typed_config: { '@type': 'type.googleapis.com/envoy.Nothing' } } },
    'names envoy.Nothing, which is not in the descriptor',
  ],
  ['an unknown enum value', { type: 'EDSS' }, 'type is "EDSS", expected a value of DiscoveryType'],
  ['a property of Object as enum value', { type: 'toString' }, 'expected a value of DiscoveryType'],
  ['a text for a number', { connect_timeout: { seconds: '1' } }, 'seconds is "1", expected int64'],
  ['a fraction', { connect_timeout: { seconds: 0.5 } }, 'seconds is 0.5, expected int64'],
  [
    'a negative unsigned number',
    { per_connection_buffer_limit_bytes: { value: -1 } },
    'value is -1, expected uint32',
  ],
  [
    'a number beyond 32 bits',
    { per_connection_buffer_limit_bytes: { value: 2 ** 32 } },
    'value is 4294967296, expected uint32',
  ],
  [
    'a plain value for a message',
    { connect_timeout: 1 },
    'connect_timeout is 1, expected a Duration',
  ],
  ['one value for a list', { health_checks: {} }, 'health_checks is {}, expected a list'],
  [
    'two members of one oneof',
    { type: 'EDS', cluster_type: { name: 'x' } },
    'sets type and cluster_type, of which one can be set',
  ],
];

for (const [what, message, expected] of refused) {
  test(`${what} is refused with its path`, () => {
    assert.match(
      errorOf(() => encodeCluster(message)),
      `${expected}`,
    );
  });
}

test('the same content is the same resource, other content another version', () => {
  const first = encodeResource('cluster', 'c', { name: 'c', type: 'EDS' }, []);
  const again = encodeResource('cluster', 'c', { name: 'c', type: 'EDS' }, []);
  const other = encodeResource('cluster', 'c', { name: 'c', type: 'STATIC' }, []);
  assert.is(again, first);
  assert.is.not(other.version, first.version);
  assert.match(first.version, /^[0-9a-f]{16}$/);
});

test('a set does not depend on the order in which its resources came', () => {
  const resources = ['b', 'a', 'c'].map((name) => encodeResource('cluster', name, { name }, []));
  const set = resourceSet(resources);
  assert.is(resourceSet([...resources].reverse()), set);
  assert.equal([...set.byName.keys()], ['a', 'b', 'c']);
  assert.is.not(resourceSet(resources.slice(1)).version, set.version);
});

test('references are kept once each, sorted', () => {
  const reference = (name: string) => ({ type: 'cluster' as const, name });
  const names = ['b', 'a', 'b'];
  const route = encodeResource('route', 'r', { name: 'r' }, names.map(reference));
  assert.equal(route.references, [reference('a'), reference('b')]);
});

test.run();
