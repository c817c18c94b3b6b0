/** The loop's effects: their order, what a failing store may and may not change, and the restart. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import { Loop } from '../../controller/loop/loop.js';
import type {
  ProxyStatus,
  Publication,
  Publisher,
  Store,
  Transaction,
} from '../../controller/loop/ports.js';
import type { Mesh } from '../../controller/mesh/model.js';
import type { MeasurementOrder } from '../../controller/rollout/gates/measurement.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { meshOf, policyOf } from '../support/mesh.js';
import { accepted, revisionIn } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';

const loops = suite('loop');

/** A store in memory that can fail, and tells a shared list of effects what it kept. */
class FakeStore implements Store {
  isDown = false;
  readonly values = new Map<string, { kind: string; key: string; json: string }>();
  readonly notifications: string[] = [];

  constructor(private readonly effects: string[]) {}

  async load() {
    return [...this.values.values()];
  }

  async commit(transaction: Transaction): Promise<void> {
    if (this.isDown) {
      throw new Error('disk full');
    }
    for (const { kind, key, json } of transaction.writes) {
      if (json === null) {
        this.values.delete(`${kind}/${key}`);
      } else {
        this.values.set(`${kind}/${key}`, { kind, key, json });
      }
    }
    this.notifications.push(...transaction.notifications.map(({ id }) => id));
    this.effects.push('store');
  }

  async history() {
    return [];
  }
  async outbox() {
    return [];
  }
  async delivered() {}
  async retryLater() {}
  async giveUp() {}
  async deadLetters() {
    return [];
  }
  async close() {}
}

class FakePublisher implements Publisher {
  last: Publication | undefined;

  constructor(private readonly effects: string[]) {}

  publish(publication: Publication): void {
    this.last = publication;
    this.effects.push(`publish ${publication.generation}`);
  }

  proxies(): readonly ProxyStatus[] {
    return [];
  }

  /** Version of the routes that web is served. */
  version(): string {
    return this.last?.snapshotFor(webIdentity)?.route.version ?? 'none';
  }
}

const webIdentity: ProxyIdentity = {
  nodeId: 'mesh/demo/virtualNode/web',
  resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
  instance: 'web1',
  kind: 'envoy',
  egress: { address: '127.0.0.1', port: 15001 },
};

interface Setup {
  readonly loop: Loop;
  readonly store: FakeStore;
  readonly publisher: FakePublisher;
  readonly clock: ManualClock;
  readonly effects: string[];
  /** Every set of orders that the measurer was given, the newest last. */
  readonly asked: readonly (readonly MeasurementOrder[])[];
  readonly settled: () => Promise<void>;
}

function start(store?: FakeStore): Setup {
  const effects: string[] = [];
  const clock = manualClock();
  const used = store ?? new FakeStore(effects);
  const publisher = new FakePublisher(effects);
  const asked: (readonly MeasurementOrder[])[] = [];
  const loop = new Loop(
    {
      clock,
      logger: recordingLogger(),
      store: used,
      publisher,
      measurer: { watch: (orders) => void asked.push(orders) },
      notificationsFor: (one) => [
        { id: one.id, topic: '', sink: 'chat', createdAtMs: one.atMs, json: '{}' },
      ],
      wakeDispatcher: () => effects.push('wake'),
      onState: () => effects.push('tell'),
    },
    { ackDeadlineMs: 30_000 },
  );
  // A command is answered when all that was queued before it has been carried out.
  const settled = async () => {
    await loop.command({ rollout: 'none', command: 'pause', by: 'test', reason: '' });
    await loop.command({ rollout: 'none', command: 'pause', by: 'test', reason: '' });
  };
  return { loop, store: used, publisher, clock, effects, asked, settled };
}

function read(loop: Loop, id: string, mesh: Mesh): void {
  loop.enqueue(accepted({ id, author: 'ann', title: id, committedAtMs: 0 }, [mesh]));
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const quick = policyOf({ noData: 'pass' });
const first = meshOf([{ name: 'reviews', weights: { v1: 100, v2: 0 } }], [quick]);
const second = meshOf([{ name: 'reviews', weights: { v1: 0, v2: 100 } }], [quick]);

loops('stores before it publishes, and publishes before it tells', async () => {
  const { loop, effects } = start();
  await loop.start();
  read(loop, 'c1', first);
  await loop.command({ rollout: 'none', command: 'pause', by: 'test', reason: '' });
  assert.equal(effects.slice(effects.indexOf('store')).slice(0, 3), ['store', 'publish 1', 'tell']);
  await loop.stop();
});

loops('a store that is down lets nothing forward, and is tried again', async () => {
  const { loop, store, publisher, clock, settled } = start();
  await loop.start();
  read(loop, 'c1', first);
  await settled();
  const served = publisher.version();
  store.isDown = true;
  read(loop, 'c2', second);
  await settled();
  assert.is(publisher.version(), served, 'nothing of c2 is served');
  assert.not.ok(loop.isStoring());
  assert.is(revisionIn(loop.current().durable).desired?.id, 'c1');
  store.isDown = false;
  clock.advance(1000);
  await settled();
  assert.ok(loop.isStoring());
  assert.is(revisionIn(loop.current().durable).desired?.id, 'c2');
  assert.is.not(publisher.version(), served, 'the first step of c2 is served');
  await loop.stop();
});

loops('a way back is served although the store is down, and stored and told later', async () => {
  const { loop, store, publisher, clock, settled } = start();
  await loop.start();
  read(loop, 'c1', first);
  await settled();
  const good = publisher.version();
  const proxy: ProxyStatus = {
    id: proxyId('web-1'),
    identity: webIdentity,
    address: '127.0.0.1:1',
    connectedAtMs: 0,
    ackedGeneration: 1,
    types: {},
    userAgent: 'envoy',
  };
  loop.enqueue({ kind: 'proxyConnected', proxy });
  read(loop, 'c2', second);
  await settled();
  assert.is.not(publisher.version(), good);
  store.isDown = true;
  loop.enqueue({
    kind: 'proxyNacked',
    proxy,
    type: 'route',
    resources: ['r'],
    error: 'no',
    generation: loop.current().generation,
  });
  await settled();
  assert.is(publisher.version(), good, 'the last good bytes are served');
  assert.match(store.values.get('rollout/reviews-1')?.json ?? '', /"phase":"Progressing"/);
  store.isDown = false;
  clock.advance(1000);
  await settled();
  assert.match(store.values.get('rollout/reviews-1')?.json ?? '', /"phase":"RollingBack"/);
  assert.ok(store.notifications.some((id) => id.includes('rolledBack')));
  await loop.stop();
});

loops('serves what was served after a restart, before any event', async () => {
  const before = start();
  await before.loop.start();
  read(before.loop, 'c1', first);
  read(before.loop, 'c2', second);
  await before.settled();
  const served = before.publisher.version();
  // Killed: nothing is told to stop.
  const after = start(before.store);
  await after.loop.start();
  // No number is used for two things, not even over a restart.
  assert.is(after.effects[0], 'publish 3');
  assert.is(after.publisher.version(), served);
  await after.settled();
  assert.is(after.publisher.version(), served);
  await before.loop.stop();
  await after.loop.stop();
});

loops("gates are asked while their step is served, and a late answer is nobody's", async () => {
  const { loop, asked, settled } = start();
  const gate = { kind: 'grpc', name: 'up', provider: 'p', service: '', intervalMs: 1000 } as const;
  const policy = policyOf({ gates: [gate] });
  const mesh = (v1: number) =>
    meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [policy]);
  await loop.start();
  read(loop, 'c1', mesh(100));
  read(loop, 'c2', mesh(0));
  await settled();
  const [order] = asked.at(-1) ?? [];
  assert.is(order?.gate, 'up');
  assert.equal(order?.question, { kind: 'grpc', service: '' });
  const answer = (status: 'SERVING' | 'NOT_SERVING', id = order?.id ?? '') =>
    loop.enqueue({
      kind: 'gateMeasured',
      order: id,
      measurement: {
        askedAtMs: order?.notBeforeMs ?? 0,
        answeredAtMs: order?.notBeforeMs ?? 0,
        outcome: { kind: 'health', status },
      },
    });
  answer('NOT_SERVING', 'reviews-1/7/1/up');
  answer('SERVING');
  await settled();
  assert.equal([...loop.current().measured.keys()], [order?.id]);
  await loop.command({ rollout: 'reviews-1', command: 'abort', by: 'test', reason: '' });
  assert.equal(asked.at(-1), [], 'nothing is asked about what goes back');
  answer('NOT_SERVING');
  await settled();
  const rollout = loop.current().durable.rollouts.get('reviews-1');
  assert.is(rollout?.outcome, 'Aborted');
  assert.is(rollout?.gates[0]?.verdict, 'pass');
  await loop.stop();
});

loops('the same publication is not made twice', async () => {
  const { loop, publisher, effects, settled } = start();
  await loop.start();
  read(loop, 'c1', first);
  await settled();
  const snapshot = publisher.last?.snapshotFor(webIdentity);
  read(loop, 'c2', JSON.parse(JSON.stringify(first)));
  await settled();
  assert.is(effects.filter((effect) => effect.startsWith('publish')).length, 1);
  assert.is(publisher.last?.snapshotFor(webIdentity), snapshot);
  await loop.stop();
});

loops('a weight moves one route configuration and nothing else', async () => {
  const { loop, publisher, settled } = start();
  await loop.start();
  read(loop, 'c1', first);
  await settled();
  const before = publisher.last?.snapshotFor(webIdentity);
  read(loop, 'c2', second);
  await settled();
  const after = publisher.last?.snapshotFor(webIdentity);
  assert.is.not(after?.route.version, before?.route.version);
  for (const type of ['cluster', 'endpoint', 'listener'] as const) {
    assert.is(after?.[type].version, before?.[type].version, type);
  }
  await loop.stop();
});

loops(
  'what was served at a step is forgotten with the step, although the rollout is kept',
  async () => {
    const { loop, publisher, clock, settled } = start();
    await loop.start();
    read(loop, 'c1', first);
    await settled();
    const served: WeakRef<object>[] = [];
    for (let round = 1; round <= 12; round += 1) {
      // No step of one is like a step of another: what has the same content is the same object.
      const v1 = round % 2 === 0 ? 100 - round : round;
      const wanted = meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [quick]);
      read(loop, `c${round + 1}`, wanted);
      await settled();
      // A policy's step is a minute; more at once would look like a jump of the clock.
      for (let halves = 0; halves < 12; halves += 1) {
        const resource = publisher.last
          ?.snapshotFor(webIdentity)
          ?.route.byName.values()
          .next().value;
        served.push(new WeakRef(resource as object));
        clock.advance(31_000);
        await settled();
      }
    }
    const phases = [...loop.current().durable.rollouts.values()].map(({ phase }) => phase);
    assert.equal(phases, new Array(12).fill('Succeeded'));
    // A reference that was made or asked for in this turn holds its object to the turn's end.
    await new Promise(setImmediate);
    collectGarbage();
    const now = publisher.last?.snapshotFor(webIdentity)?.route.byName.values().next().value;
    const kept = new Set(served.map((one) => one.deref()));
    kept.delete(undefined);
    kept.delete(now);
    // What the present is a patch of, and the lists that were asked for last, are kept as well.
    assert.ok(kept.size <= 4, `${kept.size} of ${new Set(served).size} are still in memory`);
    await loop.stop();
  },
);

loops('an unknown node is parked, not served empty', async () => {
  const { loop, publisher, settled } = start();
  await loop.start();
  read(loop, 'c1', first);
  await settled();
  const stranger = { ...webIdentity, resource: { ...webIdentity.resource, name: 'nobody' } };
  assert.is(publisher.last?.snapshotFor(stranger as ProxyIdentity), undefined);
  await loop.stop();
});

loops.run();
