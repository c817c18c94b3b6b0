/** What a client may still use stays, over any number of references, in short lists and in long ones. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResourceType, Snapshot } from '../../controller/envoy/snapshot.js';
import { namedList } from '../../controller/xds/named-list.js';
import { next, publish, receive } from '../../controller/xds/stream.js';
import type { Response, StreamState } from '../../controller/xds/stream-state.js';
import { loneStream } from '../support/lone-stream.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

const nowMs = 1_000;

function answer(
  stream: StreamState,
  type: ResourceType,
  resourceNames: readonly string[],
  { version = '', nonce = '', error = undefined as string | undefined } = {},
): void {
  const names = namedList([...resourceNames]);
  const request = {
    kind: 'sotw',
    type,
    resourceNames: names,
    versionInfo: version,
    nonce,
  } as const;
  receive(stream, error === undefined ? request : { ...request, error }, nowMs);
}

const asked: Partial<Record<ResourceType, readonly string[]>> = { route: ['p'] };

/** Takes all that is due but what `isRefused`; the names of each response. */
function settle(
  stream: StreamState,
  isRefused: (response: Response) => boolean = () => false,
): readonly string[] {
  const sent: string[] = [];
  for (let response = next(stream, nowMs); response !== undefined; response = next(stream, nowMs)) {
    const { type, version, nonce, resources } = response;
    sent.push(`${type} ${resources.map(({ name }) => name)}`);
    const error = isRefused(response) ? 'no' : undefined;
    answer(stream, type, asked[type] ?? [], { version, nonce, error });
  }
  return sent;
}

/** A listener that names `route` so many times, a route that names `cluster`, and clusters. */
function snapshotOf(
  times: number,
  variant: string,
  { route, cluster, clusters }: { route: string; cluster: string; clusters: readonly string[] },
): Snapshot {
  const reference = { type: 'route', name: route } as const;
  return plainSnapshot({
    cluster: clusters.map((name) => plainResource(name, '1')),
    listener: [plainResource('l', variant, Array(times).fill(reference))],
    route: [plainResource(route, '1', [{ type: 'cluster', name: cluster }])],
  });
}

for (const times of [1, 20]) {
  test(`a refused listener keeps what the route of before names, which it names ${times} times`, () => {
    const stream = loneStream('sotw', nowMs);
    const before = snapshotOf(times, '1', { route: 'p', cluster: 'c', clusters: ['c', 'd'] });
    publish(stream, before, 1, nowMs);
    answer(stream, 'cluster', []);
    settle(stream);
    answer(stream, 'listener', []);
    settle(stream);
    answer(stream, 'route', ['p']);
    assert.equal(settle(stream), ['route p']);
    // The client goes on with the listener of before, so with its route, which nobody can take from it.
    const [only, other] = [{ route: 'q', cluster: 'd', clusters: ['d'] }, 'listener l'];
    publish(stream, snapshotOf(times, '2', only), 2, nowMs);
    assert.equal(
      settle(stream, ({ type }) => type === 'listener'),
      [other],
    );
    publish(stream, snapshotOf(times, '3', only), 3, nowMs);
    assert.equal(settle(stream), [other, 'cluster d']);
  });
}

test.run();
