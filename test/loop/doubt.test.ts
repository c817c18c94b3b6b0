/**
 * Commits of which the loop does not hear whether they are durable: what was durable after all counts, no
 * number stands for two things, and nobody is told something that turns out otherwise.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import { OpError } from '../../controller/base/op-error.js';
import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import { adoptDurable } from '../../controller/loop/adopt-durable.js';
import type { CommandReply } from '../../controller/loop/events.js';
import { Loop, type LoopLease } from '../../controller/loop/loop.js';
import { restoreSaved } from '../../controller/loop/persist.js';
import type { ProxyStatus, Publication, Transaction } from '../../controller/loop/ports.js';
import type { LoopState } from '../../controller/loop/state.js';
import { retreatOnly, stepLoop } from '../../controller/loop/step.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';
import { manualClock } from '../support/clock.js';
import { meshOf, policyOf } from '../support/mesh.js';
import { noMail } from '../support/no-mail.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';

const doubts = suite('a commit in doubt');

type Fate = 'stored' | 'lost' | 'unanswered' | 'late';

/** What becomes of each commit is the test's choice; while it is down not even a question is answered. */
class DoubtfulStore {
  fate: Fate = 'stored';
  isDown = false;
  /** What happens while it is being asked. */
  whileAsked = (): void => {};
  readonly values = new Map<string, { kind: string; key: string; json: string }>();
  readonly history: string[] = [];
  readonly answers: number[] = [];
  private late: Transaction | undefined;

  async load() {
    this.whileAsked();
    if (this.isDown) {
      throw new OpError('store-unreachable', 'away', { retry: { kind: 'backoff' } });
    }
    return [...this.values.values()];
  }

  async commit(transaction: Transaction): Promise<void> {
    const { fate } = this;
    if (this.late !== undefined) {
      this.apply(this.late);
      this.late = undefined;
      throw new OpError('store-moved', 'one came late', { retry: { kind: 'backoff' } });
    }
    if (fate === 'stored' || fate === 'unanswered') {
      this.apply(transaction);
    }
    if (fate === 'late') {
      this.late = transaction;
    }
    if (fate !== 'stored') {
      this.isDown = true;
      throw new OpError('store-doubtful', 'who knows', { retry: { kind: 'backoff' } });
    }
  }

  private apply({ writes, history, answers }: Transaction): void {
    for (const { kind, key, json } of writes) {
      if (json === null) {
        this.values.delete(`${kind}/${key}`);
      } else {
        this.values.set(`${kind}/${key}`, { kind, key, json });
      }
    }
    this.history.push(...history.map(({ json }) => json));
    this.answers.push(...(answers ?? []).map(({ command }) => command));
  }
}

const web: ProxyIdentity = {
  nodeId: 'mesh/demo/virtualNode/web',
  resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
  instance: 'web1',
  kind: 'envoy',
  egress: { address: '127.0.0.1', port: 15001 },
};
const policy = policyOf({ noData: 'pass' });
const meshes = [100, 0].map((v1) =>
  meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [policy]),
);

/** A loop with a rollout at its first step. */
async function start(lease?: LoopLease) {
  const store = new DoubtfulStore();
  const clock = manualClock();
  const published = new Map<number, string>();
  const clashes: number[] = [];
  let last = 'none';
  const loop = new Loop(
    {
      clock,
      logger: recordingLogger(),
      store: {
        ...noMail,
        load: () => store.load(),
        commit: (transaction) => store.commit(transaction),
      },
      publisher: {
        proxies: () => [],
        publish: (publication: Publication) => {
          last = publication.snapshotFor(web)?.route.version ?? 'none';
          if ((published.get(publication.generation) ?? last) !== last) {
            clashes.push(publication.generation);
          }
          published.set(publication.generation, last);
        },
      },
      measurer: { watch: () => {} },
      notificationsFor: () => [],
      wakeDispatcher: () => {},
      onState: () => {},
      ...(lease === undefined ? {} : { lease }),
    },
    { ackDeadlineMs: 30_000 },
  );
  const settled = async () => {
    for (let round = 0; round < 30; round += 1) {
      await new Promise(setImmediate);
    }
  };
  const command = (verb: 'pause' | 'abort' | 'resume', number?: number) => {
    const replies: CommandReply[] = [];
    const event = { rollout: 'reviews-1', command: verb, by: 'ann', reason: '' } as const;
    void loop.command(event, number).then((reply) => replies.push(reply));
    return replies;
  };
  await loop.start();
  for (const [index, mesh] of meshes.entries()) {
    const id = `c${index}`;
    loop.enqueue(accepted({ id, author: 'ann', title: id, committedAtMs: 0 }, [mesh]));
    await settled();
  }
  const rollout = () => loop.current().durable.rollouts.get('reviews-1');
  return {
    ...{ loop, store, clock, published, clashes, settled, command, rollout },
    served: () => last,
    /** The step's minute has passed, in less than would look like a jump. */
    async baked() {
      for (const ms of [30_000, 31_000, 1_000]) {
        clock.advance(ms);
        await settled();
      }
    },
    stored: () => restoreSaved([...store.values.values()]),
    async recover() {
      store.isDown = false;
      store.fate = 'stored';
      clock.advance(1_000);
      await settled();
    },
  };
}

const proxy = (ackedGeneration: number): ProxyStatus => ({
  id: proxyId('web-1'),
  identity: web,
  address: '127.0.0.1:1',
  connectedAtMs: 0,
  ackedGeneration,
  types: {},
  userAgent: 'envoy',
});

const statusOf = (reply: CommandReply | undefined) =>
  reply?.ok === false ? reply.status : undefined;

const refusal = (of: ProxyStatus, generation: number) =>
  ({
    kind: 'proxyNacked',
    proxy: of,
    type: 'route',
    resources: ['r'],
    error: 'no',
    generation,
  }) as const;

doubts(
  'a command that was stored unheard is answered yes, once that is known, and stays',
  async () => {
    const { store, command, settled, recover, rollout, stored, loop } = await start();
    store.fate = 'unanswered';
    const replies = command('pause');
    await settled();
    assert.equal(replies, [], 'nobody can say yet');
    assert.is(rollout()?.phase, 'Baking');
    await recover();
    assert.equal(replies, [{ ok: true, rollout: 'reviews-1' }]);
    assert.is(rollout()?.phase, 'Paused');
    assert.is(stored().durable.rollouts.get('reviews-1')?.phase, 'Paused');
    assert.is(store.history.filter((json) => json.includes('"pause"')).length, 1);
    await loop.stop();
  },
);

doubts('a command that was lost is answered no', async () => {
  const { store, command, settled, recover, rollout, loop } = await start();
  store.fate = 'lost';
  const replies = command('pause');
  await settled();
  assert.equal(replies, []);
  await recover();
  assert.is(statusOf(replies[0]), 409);
  assert.is(rollout()?.phase, 'Baking');
  await loop.stop();
});

doubts('a command of another replica that was stored unheard is not undone', async () => {
  const { store, command, settled, recover, rollout, loop } = await start();
  store.fate = 'unanswered';
  command('pause', 7);
  await settled();
  await recover();
  assert.equal(store.answers, [7]);
  assert.is(rollout()?.phase, 'Paused', 'as its answer says, which the other replica has read');
  await loop.stop();
});

doubts('a term that ends in doubt says that it does not know', async () => {
  const { store, command, settled, loop } = await start();
  store.fate = 'unanswered';
  const [local] = [command('pause')];
  await settled();
  await loop.stop();
  await settled();
  assert.is(statusOf(local[0]), 503);
  assert.match(JSON.stringify(local[0]), 'see whether it was done');
});

doubts('a step that was stored unheard is served under its own number', async () => {
  const { loop, store, baked, settled, recover, rollout, stored, published, served, clashes } =
    await start();
  const { generation } = loop.current();
  loop.enqueue({ kind: 'proxyConnected', proxy: proxy(generation) });
  await settled();
  assert.is(rollout()?.phase, 'Baking');
  store.fate = 'unanswered';
  await baked();
  const saved = stored();
  assert.ok(saved.generation > generation, 'the next step is in the store');
  assert.is(loop.current().generation, generation, 'and nobody here knows');
  await recover();
  // Other replicas made the same of it.
  assert.is(loop.current().generation, saved.generation);
  assert.is(published.get(saved.generation), served());
  assert.is(rollout()?.step, saved.durable.rollouts.get('reviews-1')?.step);
  assert.equal(clashes, []);
  await loop.stop();
});

doubts(
  'a way back in doubt has a number of its own, and stays when the step turns out stored',
  async () => {
    const { loop, store, baked, settled, recover, rollout, stored, published, served } =
      await start();
    const { generation } = loop.current();
    loop.enqueue({ kind: 'proxyConnected', proxy: proxy(generation) });
    await settled();
    store.fate = 'unanswered';
    await baked();
    const unheard = stored();
    loop.enqueue(refusal(proxy(0), generation));
    await settled();
    const back = served();
    assert.is(rollout()?.phase, 'RollingBack');
    assert.ok(loop.current().generation > unheard.generation, 'that number is the step’s');
    await recover();
    assert.is(rollout()?.phase, 'RollingBack');
    assert.is(served(), back);
    assert.ok(!published.has(unheard.generation), 'what is over was never served here');
    assert.is(stored().durable.rollouts.get('reviews-1')?.phase, 'RollingBack');
    assert.is(store.history.filter((json) => json.includes('"refused"')).length, 1);
    await loop.stop();
  },
);

doubts('who acknowledged a way back has not acknowledged what the commit in doubt moved', () => {
  const scripted = new ScriptedLoop();
  for (const line of [
    'policy steps=10,50,100 bake=10s gates=none',
    'connect web1',
    'commit a1 cart:v1=100,v2=0 checkout:v1=100,v2=0',
    'ack',
    'commit b2 cart:v1=0,v2=100 checkout:v1=0,v2=100',
    'ack',
    'tick 9s',
  ]) {
    scripted.run(line);
  }
  const before = scripted.state;
  const nowMs = scripted.nowMs + 5_000;
  const settings = { ackDeadlineMs: 30_000 };
  const result = stepLoop(before, { kind: 'tick' }, settings, nowMs);
  const stepOf = (state: LoopState, id: string) => state.durable.rollouts.get(id)?.step;
  assert.is(stepOf(result.state, 'cart-1'), (stepOf(before, 'cart-1') ?? 0) + 1, 'it moves both');
  const failed = retreatOnly(before, result.state);
  const abort = { kind: 'command', command: 'abort', rollout: 'checkout-2' } as const;
  const person = { by: 'ann', reason: 'no' };
  const aborted = stepLoop(failed, { ...abort, ...person }, settings, nowMs);
  const back = retreatOnly(failed, aborted.state);
  const adopted = adoptDurable(back, { before, result, hasJumped: false }, nowMs);
  assert.is(adopted.durable.rollouts.get('checkout-2')?.phase, 'RollingBack');
  assert.is(stepOf(adopted, 'cart-1'), stepOf(result.state, 'cart-1'));
  assert.ok(adopted.generation > back.generation);
  assert.is(adopted.servedGeneration.get('cart-1'), adopted.generation);
  assert.is(adopted.servedGeneration.get('checkout-2'), adopted.generation);
});

doubts('a clock that jumped while a commit was in doubt is nobody’s deadline', async () => {
  const { store, clock, loop, settled, recover, rollout } = await start();
  store.fate = 'unanswered';
  // It moves nothing of the rollout’s times: they are those from before the jump.
  const revision = { id: 'c2', author: 'ann', title: 'c2', committedAtMs: 0 };
  loop.enqueue(accepted(revision, meshes.slice(1)));
  await settled();
  const day = 24 * 60 * 60_000;
  clock.advance(day);
  await settled();
  await recover();
  const jumpedAtMs = clock.now() - 1_000;
  assert.ok((rollout()?.stepEnteredAtMs ?? 0) >= jumpedAtMs, 'the step has just been entered');
  assert.ok((rollout()?.runsFromMs ?? 0) >= jumpedAtMs, 'and the rollout has just begun');
  assert.is(rollout()?.phase, 'Baking');
  await loop.stop();
});

doubts('a clock that jumps while the store is asked what it has is nobody’s deadline', async () => {
  for (const fate of ['unanswered', 'lost'] as const) {
    const { store, clock, loop, settled, recover, rollout } = await start();
    loop.enqueue({ kind: 'proxyConnected', proxy: proxy(loop.current().generation) });
    await settled();
    const step = rollout()?.step;
    store.fate = fate;
    const revision = { id: 'c2', author: 'ann', title: 'c2', committedAtMs: 0 };
    loop.enqueue(accepted(revision, meshes.slice(1)));
    await settled();
    store.whileAsked = () => clock.jump(24 * 60 * 60_000);
    await recover();
    store.whileAsked = () => {};
    assert.is(rollout()?.phase, 'Baking', fate);
    assert.is(rollout()?.step, step, fate);
    assert.ok((rollout()?.stepEnteredAtMs ?? 0) >= clock.now() - 1_000, fate);
    await loop.stop();
  }
});

doubts('a commit that becomes durable long after counts too', async () => {
  const { store, command, settled, recover, rollout, clock, loop } = await start();
  store.fate = 'late';
  command('pause');
  await settled();
  store.isDown = false;
  store.fate = 'stored';
  // The store shows nothing of it, and the next commit finds that it came.
  const resumed = command('resume');
  await settled();
  clock.advance(1_000);
  await settled();
  assert.is(rollout()?.phase, 'Paused');
  assert.is(statusOf(resumed[0]), 409);
  await recover();
  assert.is(rollout()?.phase, 'Paused');
  await loop.stop();
});

doubts('a way back that cannot be stored is not answered with a yes', async () => {
  const { store, command, settled, rollout, loop } = await start();
  store.fate = 'lost';
  const replies = command('abort');
  await settled();
  assert.is(rollout()?.phase, 'RollingBack', 'it is served');
  assert.is(statusOf(replies[0]), 503);
  await loop.stop();
});

doubts('a refusal whose commit failed is handed on when the term ends', async () => {
  let mayLead = true;
  const lease = { mayLead: () => mayLead, onOver: () => {} };
  const { loop, store, settled, rollout } = await start(lease);
  store.fate = 'lost';
  const event = refusal(proxy(0), loop.current().generation);
  loop.enqueue(event);
  await settled();
  assert.is(rollout()?.phase, 'RollingBack');
  mayLead = false;
  assert.equal(await loop.stop(), [event]);
});

doubts('a refusal that was stored is no news to whoever leads next', async () => {
  const { loop, settled } = await start();
  loop.enqueue(refusal(proxy(0), loop.current().generation));
  await settled();
  assert.equal(await loop.stop(), []);
});

doubts.run();
