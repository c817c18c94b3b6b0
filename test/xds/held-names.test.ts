/** How much memory the names of all streams are counted as, and when no more are taken. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HeldNames } from '../../controller/xds/held-names.js';
import { type NamedList, namedList } from '../../controller/xds/named-list.js';
import type { TypedRequest } from '../../controller/xds/stream.js';
import { SubscribedNames } from '../../controller/xds/subscribed-names.js';
import { createTypeState, type TypeState } from '../../controller/xds/type-state.js';
import type { DeltaStream } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';

const listOf = (count: number, prefix = 'name'): NamedList =>
  namedList(Array.from({ length: count }, (_, index) => `${prefix}-${index}`));

const sotw = (resourceNames: NamedList): TypedRequest => ({
  kind: 'sotw',
  type: 'route',
  versionInfo: '',
  nonce: '',
  resourceNames,
});

const delta = (subscribe: NamedList): TypedRequest => ({
  kind: 'delta',
  type: 'route',
  subscribe,
  unsubscribe: listOf(0),
  initialVersions: new Map(),
  nonce: '',
});

function holding(held: HeldNames, { names }: NamedList): TypeState {
  const state = createTypeState('route', { isFullState: false, nowMs: 0 });
  state.subscription.names.replace(names);
  held.note(state.subscription.names);
  return state;
}

test('a list that many have counts once, until the last of them is gone', () => {
  const held = new HeldNames(1e9);
  const list = listOf(1_000);
  const streams = Array.from({ length: 10_000 }, () => holding(held, list).subscription.names);
  const once = held.bytes;
  assert.ok(once > 100_000 && once < 1_000_000, `${once} bytes`);
  holding(held, listOf(1_000));
  assert.is(held.bytes, 2 * once, 'the same names in a list of its own are there twice');
  for (const names of streams) {
    assert.is(held.bytes, 2 * once);
    held.drop(names);
    held.drop(names);
  }
  assert.is(held.bytes, once);
});

test('what a stream adds to a list is its own', () => {
  const held = new HeldNames(1e9);
  const [names, other] = [new SubscribedNames(), new SubscribedNames()];
  names.replace(listOf(1_000).names);
  other.replace(names.list);
  held.note(names);
  held.note(other);
  const before = held.bytes;
  names.addAll(listOf(10, 'more').names);
  held.note(names);
  assert.ok(held.bytes > before && held.bytes < before + 10_000);
  names.replace(listOf(0).names);
  held.note(names);
  assert.is(held.bytes, before, 'the other one still has the list');
  held.drop(other);
  held.drop(names);
  assert.is(held.bytes, 0);
});

test('above the ceiling only what takes memory is refused', () => {
  const held = new HeldNames(1_000_000);
  const [list, other] = [listOf(3_000), listOf(3_000, 'other')];
  assert.is(held.excess(delta(list), undefined), undefined);
  const state = holding(held, list);
  const why = 'the names that all proxies have asked for take 0 MiB, and may take no more';
  assert.is(held.excess(delta(other), undefined), why);
  assert.is(held.excess(sotw(other), undefined), why);
  assert.is(held.excess(delta(list), undefined), undefined, 'a list that there is already');
  assert.is(held.excess(delta(listOf(0)), undefined), undefined, 'an acknowledgement');
  assert.is(held.excess(sotw(other), state), undefined, 'in place of as many');
  assert.is(held.excess(delta(other), state), why, 'beside them');
  held.drop(state.subscription.names);
  assert.is(held.excess(delta(other), undefined), undefined);
});

const names = (stream: number): string[] => [...listOf(1_000, `stream${stream}`).names];

test(
  'a stream that asks for more than there is room for ends as RESOURCE_EXHAUSTED, and others go on',
  withServer(
    async (t) => {
      t.serve('node-1', { cds: ['a'], eds: ['a'], rds: ['r>a'] });
      const client = t.client();
      const streams: DeltaStream[] = [];
      const open = (): DeltaStream => {
        const stream = client.delta('node-1');
        stream.send('route', { resource_names_subscribe: ['r', ...names(streams.length)] });
        streams.push(stream);
        return stream;
      };
      const first = open();
      await first.receive('route');
      await open().receive('route');
      const { code, details } = await open().raw.ended();
      assert.is(code, 8);
      assert.match(details, /the names that all proxies have asked for take 0 MiB/);
      first.raw.call.cancel();
      await t.until(() => t.server.proxies().length === 1);
      await open().receive('route');
    },
    { namesBytesMax: 600_000 },
  ),
);

test.run();
