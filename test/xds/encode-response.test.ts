/** Responses put together from ready bytes are the messages that a protobuf library would have written. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage } from '../../controller/envoy/encode.js';
import type { EncodedResource, ResourceSet } from '../../controller/envoy/snapshot.js';
import { emptyAssignment } from '../../controller/xds/empty-assignment.js';
import { createResponseEncoder } from '../../controller/xds/encode-response.js';
import type { Response } from '../../controller/xds/stream-state.js';
import { typeUrl } from '../support/xds-client.js';
import { snapshotOf } from '../support/xds-snapshots.js';

const { cluster } = snapshotOf({ cds: ['a', 'b:2'] });
const resources = [...cluster.byName.values()];
const encoder = createResponseEncoder('the control plane');
const encode = (each: Response): Buffer => Buffer.concat(encoder.encode(each));
const response: Response = {
  variant: 'sotw',
  type: 'cluster',
  version: 'v1',
  nonce: '1-1',
  resources,
  removed: [],
};

function bothEncoded(changes: Partial<Response>): readonly [Buffer, Buffer] {
  return [
    encode({ ...response, ...changes }),
    encode({ ...response, ...changes, wholeSet: cluster }),
  ];
}

test('a response of the state of the world', () => {
  for (const bytes of bothEncoded({})) {
    const message = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    assert.equal(
      { ...message, resources: undefined },
      {
        version_info: 'v1',
        type_url: typeUrl('cluster'),
        nonce: '1-1',
        control_plane: { identifier: 'the control plane' },
        resources: undefined,
      },
    );
    const decoded = message.resources?.map((resource) => resource as Record<string, unknown>);
    assert.equal(
      decoded?.map((resource) => [resource['@type'], resource.name]),
      [
        [typeUrl('cluster'), 'a'],
        [typeUrl('cluster'), 'b'],
      ],
    );
  }
});

test('a delta response, with each version and with removals', () => {
  for (const bytes of bothEncoded({ variant: 'delta', removed: ['gone', 'x'.repeat(300)] })) {
    const message = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
    assert.is(message.system_version_info, 'v1');
    assert.is(message.type_url, typeUrl('cluster'));
    assert.is(message.nonce, '1-1');
    assert.equal(message.control_plane, { identifier: 'the control plane' });
    assert.equal(message.removed_resources, ['gone', 'x'.repeat(300)]);
    assert.equal(
      message.resources?.map(({ name, version }) => [name, version]),
      resources.map(({ name, version }) => [name, version]),
    );
  }
});

test('a response of nothing is a message too', () => {
  const bytes = encode({ ...response, resources: [] });
  const message = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
  assert.is(message.resources, undefined);
  assert.is(message.nonce, '1-1');
});

test('equal responses differ in version and nonce alone, however many streams get them', () => {
  const texts = Array.from({ length: 2_000 }, (_, index) => {
    const [a] = resources as [EncodedResource];
    const some = index % 2 === 0 ? resources : [a];
    const bytes = encode({ ...response, resources: some, nonce: `${index}` });
    const message = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    assert.is(message.nonce, `${index}`);
    return message.resources?.length;
  });
  assert.equal([texts[0], texts[1], texts.at(-2), texts.at(-1)], [2, 1, 2, 1]);
});

test('more resources than are shared are put together each time', () => {
  const many = Array.from({ length: 40 }, (_, index) => emptyAssignment(`e${index}`));
  const set: ResourceSet = { version: 'v', byName: new Map(many.map((each) => [each.name, each])) };
  for (const wholeSet of [undefined, set]) {
    const bytes = encode({ ...response, type: 'endpoint', resources: many, wholeSet });
    const message = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    assert.equal(
      message.resources?.map((each) => (each as Record<string, unknown>).cluster_name),
      many.map((each) => each.name),
    );
  }
});

test('an empty assignment is the message that it says', () => {
  const { any, name } = emptyAssignment('a');
  assert.equal(decodeMessage('google.protobuf.Any', any), {
    '@type': typeUrl('endpoint'),
    cluster_name: name,
  });
});

test.run();
