/** Requests are read as a protobuf library reads them, and the same list of names is decoded once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeMessage } from '../../controller/envoy/encode.js';
import { decodeNames, namedList } from '../../controller/xds/named-list.js';
import { type DecodedRequest, decodeRequest } from '../../controller/xds/requests.js';
import type { TypedRequest } from '../../controller/xds/stream.js';
import { elementField, textField } from '../../controller/xds/wire.js';
import { typeUrl } from '../support/xds-client.js';

const names = ['a', 'b', 'ü', 'x'.repeat(300)];

const sotw = (resource_names: string[]): Buffer =>
  Buffer.from(
    encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
      version_info: 'v1',
      node: { id: 'node-1' },
      resource_names,
      type_url: typeUrl('route'),
      response_nonce: '1-1',
      error_detail: { message: 'no' },
    }),
  );

const decoded = (variant: 'sotw' | 'delta', bytes: Buffer): DecodedRequest =>
  decodeRequest(variant, bytes);

const asSotw = (bytes: Buffer): TypedRequest & { kind: 'sotw' } => {
  const request = decoded('sotw', bytes).as('route');
  assert.is(request.kind, 'sotw');
  return request as TypedRequest & { kind: 'sotw' };
};

test('a request of the state of the world', () => {
  const request = decoded('sotw', sotw(names));
  assert.is(request.node?.id, 'node-1');
  assert.is(request.typeUrl, typeUrl('route'));
  assert.equal(request.as('route'), {
    kind: 'sotw',
    type: 'route',
    versionInfo: 'v1',
    resourceNames: namedList(names),
    nonce: '1-1',
    error: 'no',
  });
});

test('an incremental request', () => {
  const bytes = encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
    node: { id: 'node-1' },
    type_url: typeUrl('route'),
    resource_names_subscribe: [...names, '*'],
    resource_names_unsubscribe: ['gone', ''],
    initial_resource_versions: { a: '1', ü: '2', empty: '' },
    response_nonce: '1-1',
  });
  const request = decoded('delta', Buffer.from(bytes));
  assert.is(request.node?.id, 'node-1');
  assert.equal(request.as('route'), {
    kind: 'delta',
    type: 'route',
    subscribe: { names: new Set(names), hasWildcard: true, isEmpty: false },
    unsubscribe: { names: new Set(['gone']), hasWildcard: false, isEmpty: false },
    initialVersions: new Map([
      ['a', '1'],
      ['ü', '2'],
      ['empty', ''],
    ]),
    nonce: '1-1',
  });
});

test('names between other fields are one list', () => {
  const nameField = 3;
  const bytes = Buffer.concat([
    elementField(nameField, 'a'),
    textField(1, 'v1'),
    elementField(nameField, 'b'),
    elementField(nameField, 'c'),
    textField(4, typeUrl('route')),
  ]);
  const { resourceNames, versionInfo } = asSotw(bytes);
  assert.equal([...resourceNames.names], ['a', 'b', 'c']);
  assert.is(versionInfo, 'v1');
});

test('the same names are the same object, others are not', () => {
  const first = asSotw(sotw(names)).resourceNames;
  assert.is(asSotw(sotw(names)).resourceNames, first);
  assert.equal([...asSotw(sotw([...names, 'more'])).resourceNames.names], [...names, 'more']);
  const swapped = [...names.slice(0, 1), 'c', ...names.slice(2)];
  assert.equal([...asSotw(sotw(swapped)).resourceNames.names], swapped);
});

test('a list that is long is not taken for another of which most is the same', () => {
  const long = Array.from({ length: 500 }, (_, index) => `name-${index}`);
  for (let at = 0; at < long.length; at += 7) {
    const other = long.map((name, index) => (index === at ? name.toUpperCase() : name));
    const list = decodeNames(Buffer.concat(other.map((name) => elementField(3, name))));
    assert.equal([...list.names], other);
  }
});

test('what is cut short or is no message is refused', () => {
  const bytes = sotw(names);
  let refused = 0;
  for (let end = 1; end < bytes.length; end += 1) {
    try {
      decoded('sotw', bytes.subarray(0, end)).as('route');
    } catch {
      refused += 1;
    }
  }
  // Between two fields a message may end.
  assert.ok(refused > bytes.length - 12, `${refused} of ${bytes.length}`);
  for (const bad of ['1b', '1f', '18', '0a80', '1affffffffffffffffff7f', '1aff']) {
    assert.throws(() => decoded('delta', Buffer.from(bad, 'hex')), undefined, bad);
  }
});

test.run();
