/**
 * A step that moves one weight, for a proxy that reaches everything: all of its routes are one message, and
 * what that refers to stays as it was. It is not gone through again for any stream, however much it is.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import type {
  EncodedResource,
  ResourceReference,
  ResourceType,
  Snapshot,
} from '../../controller/envoy/snapshot.js';
import { namedList } from '../../controller/xds/named-list.js';
import { next, publish, receive } from '../../controller/xds/stream.js';
import type { StreamState } from '../../controller/xds/stream-state.js';
import { loneStream } from '../support/lone-stream.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

const nowMs = 1_000;

/** `list`, and how many of its elements were looked at. */
function counted<T>(list: readonly T[]): { readonly list: readonly T[]; reads: number } {
  const result = {
    reads: 0,
    list: new Proxy(list, {
      get(target, key, receiver) {
        result.reads += Number(typeof key === 'string' && /^\d+$/.test(key));
        return Reflect.get(target, key, receiver);
      },
    }),
  };
  return result;
}

/** A snapshot with `clusters` clusters, all of which the one route names; `variant` is the route's. */
function snapshotWith(
  clusters: number,
  variant: string,
  references: readonly ResourceReference[],
): Snapshot {
  const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
  const route: EncodedResource = { ...plainResource('r', variant), references };
  const listener = plainResource('l', '1', [{ type: 'route', name: 'r' }]);
  return {
    ...plainSnapshot({
      cluster: names.map((name) => plainResource(name, '1', [{ type: 'endpoint', name }])),
      endpoint: names.map((name) => plainResource(name, '1')),
      listener: [listener],
    }),
    route: { version: `r${variant}`, byName: new Map([['r', route]]) },
  };
}

/** `snapshot` with other clusters, each with its endpoints, and with `others` in place of what it has. */
function withClusters(
  snapshot: Snapshot,
  names: readonly string[],
  others: Partial<Snapshot>,
): Snapshot {
  const { cluster, endpoint } = plainSnapshot({
    cluster: names.map((name) => plainResource(name, '1', [{ type: 'endpoint', name }])),
    endpoint: names.map((name) => plainResource(name, '1')),
  });
  return { ...snapshot, cluster, endpoint, ...others };
}

function ask(stream: StreamState, type: ResourceType, names: readonly string[], nonce = ''): void {
  const none = { unsubscribe: namedList([]), initialVersions: new Map() } as const;
  const request = { kind: 'delta', type, subscribe: namedList(names), nonce, ...none } as const;
  receive(stream, request, nowMs);
}

/** Sends and acknowledges all that is due; the types of the responses. */
function settle(stream: StreamState): readonly ResourceType[] {
  const sent: ResourceType[] = [];
  for (let response = next(stream, nowMs); response !== undefined; response = next(stream, nowMs)) {
    sent.push(response.type);
    ask(stream, response.type, [], response.nonce);
  }
  return sent;
}

function connect(
  snapshot: Snapshot,
  endpoints: readonly string[] = [...snapshot.endpoint.byName.keys()],
): StreamState {
  const stream = loneStream('delta', nowMs);
  publish(stream, snapshot, 1, nowMs);
  ask(stream, 'cluster', []);
  ask(stream, 'endpoint', endpoints);
  ask(stream, 'listener', []);
  ask(stream, 'route', ['r']);
  settle(stream);
  return stream;
}

for (const clusters of [100, 3_000]) {
  test(`a route that names ${clusters} clusters is sent again without a look at them`, () => {
    const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
    const references = counted(names.map((name) => ({ type: 'cluster', name }) as const));
    const first = snapshotWith(clusters, '1', references.list);
    assert.equal(checkSnapshot(first), []);
    const streams = [connect(first), connect(first)];
    assert.ok(references.reads > 0, 'the first time they are looked at');
    references.reads = 0;
    const second = snapshotWith(clusters, '2', references.list);
    assert.equal(checkSnapshot(second), []);
    for (const stream of streams) {
      publish(stream, second, 2, nowMs);
      assert.equal(settle(stream), ['route']);
      assert.is(stream.ackedGeneration, 2);
    }
    assert.equal(settle(connect(second)), []);
    assert.is(references.reads, 0);
  });

  test(`an endpoint that is yet to be asked for is not looked for among ${clusters} others`, () => {
    const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
    const references = counted(names.map((name) => ({ type: 'cluster', name }) as const));
    const first = snapshotWith(clusters, '1', references.list);
    const stream = connect(first, names.slice(0, -1));
    references.reads = 0;
    for (const variant of ['2', '3']) {
      const { route } = snapshotWith(clusters, variant, references.list);
      publish(stream, { ...first, route }, Number(variant), nowMs);
      assert.equal(settle(stream), ['route']);
      assert.is(stream.ackedGeneration, 0, 'there is something that it has yet to ask for');
    }
    assert.is(references.reads, 0);
  });

  test(`a route waits for the one of its ${clusters} clusters that is yet to come`, () => {
    const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
    const references = names.map((name) => ({ type: 'cluster', name }) as const);
    const stream = connect(snapshotWith(clusters - 1, '1', references.slice(0, -1)));
    publish(stream, snapshotWith(clusters, '2', references), 2, nowMs);
    const cluster = next(stream, nowMs);
    assert.is(cluster?.type, 'cluster');
    assert.is(next(stream, nowMs), undefined, 'the route waits for the acknowledgement');
    ask(stream, 'cluster', [], cluster?.nonce);
    ask(stream, 'endpoint', names.slice(-1));
    assert.equal(settle(stream), ['endpoint', 'route']);
  });
}

for (const clusters of [100, 3_000]) {
  test(`a route that waits is looked at without its ${clusters} clusters`, () => {
    const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
    const references = counted(names.map((name) => ({ type: 'cluster', name }) as const));
    // One cluster less, which the route of before named too and no longer does.
    const before = counted(
      [...names.slice(0, -1), 'old'].map((name) => ({ type: 'cluster', name }) as const),
    );
    const whole = snapshotWith(clusters, '2', references.list);
    const first = withClusters(whole, [...names.slice(0, -1), 'old'], {
      route: snapshotWith(clusters, '1', before.list).route,
    });
    const streams = [connect(first), connect(first)];
    const looked: number[] = [];
    for (const stream of streams) {
      references.reads = 0;
      before.reads = 0;
      publish(stream, whole, 2, nowMs);
      const cluster = next(stream, nowMs);
      assert.equal(
        cluster?.resources.map(({ name }) => name),
        names.slice(-1),
      );
      for (let look = 0; look < 10; look += 1) {
        assert.is(next(stream, nowMs), undefined, 'it waits for the cluster');
      }
      ask(stream, 'cluster', [], cluster?.nonce);
      ask(stream, 'endpoint', names.slice(-1));
      const endpoint = next(stream, nowMs);
      assert.is(endpoint?.type, 'endpoint');
      for (let look = 0; look < 10; look += 1) {
        assert.is(next(stream, nowMs), undefined, 'it waits for the acknowledgement');
      }
      ask(stream, 'endpoint', [], endpoint?.nonce);
      const route = next(stream, nowMs);
      assert.is(route?.type, 'route');
      assert.is(next(stream, nowMs), undefined, 'the old cluster stays until the route is there');
      ask(stream, 'route', [], route?.nonce);
      assert.equal(next(stream, nowMs)?.removed, ['old']);
      looked.push(references.reads, before.reads);
    }
    // What a list names is found once, for all streams; the old one's was found before.
    assert.ok((looked[0] ?? 0) < 3 * clusters, `${looked}`);
    assert.equal(looked.slice(1), [0, 0, 0]);
  });
}

test.run();
