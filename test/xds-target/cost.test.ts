/**
 * A change of one resource costs that resource, however many there are beside it: no set of the others is
 * gone through, from the trigger to the last acknowledgement.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import { resourceTypes, type Snapshot } from '../../controller/envoy/snapshot.js';
import { namedList } from '../../controller/xds/named-list.js';
import { next, publish, receive } from '../../controller/xds/stream.js';
import type { StreamState, Variant } from '../../controller/xds/stream-state.js';
import { parseState, stateSnapshot } from '../../controller/xds-target/state.js';
import { createSyntheticMesh } from '../../controller/xds-target/synthetic.js';
import { loneStream } from '../support/lone-stream.js';

const nowMs = 1_000;
const services = 300;
const walkers = ['entries', 'keys', 'values', 'forEach', Symbol.iterator] as const;

/** Counts from now on how often any set of `snapshot` is gone through. */
function countWalks(snapshot: Snapshot): { count: number } {
  const walks = { count: 0 };
  for (const { byName } of Object.values(snapshot)) {
    for (const key of walkers) {
      const walk = byName[key] as (...args: unknown[]) => unknown;
      Object.defineProperty(byName, key, {
        configurable: true,
        value(...args: unknown[]) {
          walks.count += 1;
          return walk.apply(byName, args);
        },
      });
    }
  }
  return walks;
}

/** A client that asks as Envoy does, and has everything of `snapshot`. */
function connected(variant: Variant, snapshot: Snapshot): StreamState {
  const stream = loneStream(variant, nowMs);
  publish(stream, snapshot, 1, nowMs);
  for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
    ask(stream, type, namesOf(type, snapshot));
    settle(stream, snapshot);
  }
  return stream;
}

const namedLists = new Map<string, ReturnType<typeof namedList>>();

/** None: all of them. */
function namesOf(type: keyof Snapshot, snapshot: Snapshot): ReturnType<typeof namedList> {
  const isNamed = type === 'endpoint' || type === 'route';
  const known = namedLists.get(type) ?? namedList(isNamed ? [...snapshot[type].byName.keys()] : []);
  namedLists.set(type, known);
  return known;
}

function ask(
  stream: StreamState,
  type: keyof Snapshot,
  names: ReturnType<typeof namedList>,
  { version = '', nonce = '' } = {},
): void {
  const none = { unsubscribe: namedList([]), initialVersions: new Map() };
  receive(
    stream,
    stream.options.variant === 'delta'
      ? { kind: 'delta', type, subscribe: nonce === '' ? names : namedList([]), nonce, ...none }
      : { kind: 'sotw', type, resourceNames: names, versionInfo: version, nonce },
    nowMs,
  );
}

/** Sends and acknowledges all that is due; the names of the resources. */
function settle(stream: StreamState, snapshot: Snapshot): readonly string[] {
  const sent: string[] = [];
  for (let response = next(stream, nowMs); response !== undefined; response = next(stream, nowMs)) {
    sent.push(...response.resources.map(({ name }) => name));
    ask(stream, response.type, namesOf(response.type, snapshot), response);
  }
  return sent;
}

for (const variant of ['delta', 'sotw'] as const) {
  test(`a trigger goes through no set (${variant})`, () => {
    const mesh = createSyntheticMesh(services);
    const first = mesh.snapshot();
    const streams = [1, 2, 3].map(() => connected(variant, first));
    const walks = countWalks(first);
    for (let generation = 2; generation < 100; generation += 1) {
      mesh.trigger();
      const snapshot = mesh.snapshot();
      assert.is.not(snapshot.route, first.route);
      for (const stream of streams) {
        publish(stream, snapshot, generation, nowMs);
        assert.equal(settle(stream, first), ['svc-0000.default:80']);
        assert.is(stream.ackedGeneration, generation);
      }
    }
    assert.is(walks.count, 0);
  });
}

test('what a state is follows from its labels, whether others were there before or not', () => {
  const labels = (variant: string) =>
    Array.from({ length: 40 }, (_, at) => (at % 20 === 7 ? `n${at}${variant}` : `n${at}`));
  const body = (variant: string) => {
    const list = labels(variant);
    return { node: 'n', cds: list, eds: list, lds: list, rds: list };
  };
  const { state: before } = parseState(body(''), () => undefined);
  const first = stateSnapshot(before, 'envoy');
  for (const variant of [':2', ':3', '']) {
    const { state } = parseState(body(variant), () => before);
    const { state: alone } = parseState(body(variant), () => undefined);
    const [patched, fresh] = [stateSnapshot(state, 'envoy'), stateSnapshot(alone, 'envoy')];
    for (const type of resourceTypes) {
      assert.is(patched[type].version, fresh[type].version, `${type} ${variant}`);
      assert.equal([...patched[type].byName], [...fresh[type].byName], `${type} ${variant}`);
      const isMadeOfFirst = (patched[type].patch?.base ?? patched[type]) === first[type];
      assert.ok(isMadeOfFirst, `${type} ${variant} is a patch of what was there`);
    }
    assert.is(patched.cluster, resourceSet([...fresh.cluster.byName.values()]));
  }
});

test.run();
