/** One replica where its terms begin and end: nothing that happens just then is lost or left running. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import { OpError } from '../../controller/base/op-error.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import { askLeader } from '../../controller/replicas/ask-leader.js';
import { Member } from '../../controller/replicas/member.js';
import type { SharedDatabase } from '../../controller/replicas/ports.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { meshOf, policyOf } from '../support/mesh.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';
import { SimulatedDatabase } from './simulated-database.js';

const test = suite('a member');
const leaseMs = 15_000;

test('a proxy that goes as the term ends is no ghost of the next one', async () => {
  const { member, database, clock, settle } = await openMember();
  const secrets = new Map();
  member.enqueue({ kind: 'proxyConnected', proxy: web });
  await settle();
  assert.is(member.view().role, 'leading');
  database.cutOff.add('r1');
  clock.advance(leaseMs);
  // The lease has run out, and the loop that has it in its queue decides nothing any more.
  member.enqueue({ kind: 'proxyDisconnected', id: web.id, clean: false });
  member.enqueue({ kind: 'secretsChanged', secrets });
  await settle();
  assert.is(member.view().role, 'following');
  assert.equal([...member.current().proxies.keys()], []);
  assert.is(member.current().secrets, secrets);
});

test('a stop while a term begins leaves nothing running', async () => {
  let release = (): void => {};
  const loading = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { member, running, settle } = await openMember((shared) => ({
    ...shared,
    term: (...args) => {
      const store = shared.term(...args);
      return { ...store, load: () => loading.then(() => store.load()) };
    },
  }));
  const stopped = member.stop();
  await settle();
  release();
  await stopped;
  await settle();
  assert.is(member.view().role, 'following');
  assert.is(running(), 0);
});

test('a refusal whose commit failed is judged in the next term of the same replica', async () => {
  const { member, database, clock, settle, failNext } = await openMember();
  const mesh = (v1: number) =>
    meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [policyOf({ noData: 'pass' })]);
  for (const [id, v1] of [
    ['c1', 100],
    ['c2', 0],
  ] as const) {
    member.enqueue(accepted({ id, author: 'ann', title: id, committedAtMs: 0 }, [mesh(v1)]));
    await settle();
  }
  const phase = () => member.current().durable.rollouts.get('reviews-1')?.phase;
  assert.is(phase(), 'Baking');
  failNext();
  member.enqueue({
    kind: 'proxyNacked',
    proxy: web,
    type: 'route',
    resources: ['r'],
    error: 'no',
    generation: member.current().generation,
  });
  await settle();
  assert.is(phase(), 'RollingBack', 'it is served back');
  database.cutOff.add('r1');
  clock.advance(leaseMs);
  await settle();
  database.cutOff.delete('r1');
  clock.advance(leaseMs);
  await settle();
  await settle();
  assert.is(member.view().role, 'leading');
  assert.is(member.view().epoch, 2);
  assert.ok(['RollingBack', 'RolledBack'].includes(phase() ?? ''), phase());
});

test('a command that nobody answers is withdrawn before it is said that nothing was changed', async () => {
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, leaseMs).open('r1');
  const command = { rollout: 'r', command: 'pause', by: 'ann', reason: '' } as const;
  const asked = askLeader(command, { database, clock, isStopped: () => false });
  await passed(clock, 18_500);
  assert.match(JSON.stringify(await asked), 'nothing was changed');
  const store = database.term((await database.takeLease(0)) ?? 0);
  const answers = [{ command: 1, json: '{}' }];
  const late = await store
    .commit({ writes: [], history: [], notifications: [], answers })
    .catch((error: { readonly code?: string }) => error.code);
  assert.is(late, 'store-withdrawn');
});

test('a leader’s answer that comes as the asker gives up is passed on', async () => {
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, leaseMs).open('r1');
  const command = { rollout: 'r', command: 'pause', by: 'ann', reason: '' } as const;
  const answer = { ok: true, rollout: 'r' };
  let isRead = false;
  const asked = askLeader(command, {
    database: {
      ...database,
      answerTo: async () => (isRead ? JSON.stringify(answer) : undefined),
      withdraw: async () => {
        isRead = true;
        return false;
      },
    },
    clock,
    isStopped: () => false,
  });
  await passed(clock, 18_500);
  assert.equal(await asked, answer);
});

test('where the database does not say what became of a command, nobody claims to know', async () => {
  const clock = manualClock();
  const shared = new SimulatedDatabase(clock, leaseMs);
  const database = shared.open('r1');
  const command = { rollout: 'r', command: 'pause', by: 'ann', reason: '' } as const;
  const asked = askLeader(command, { database, clock, isStopped: () => false });
  await turn();
  shared.cutOff.add('r1');
  await passed(clock, 18_500);
  assert.match(JSON.stringify(await asked), 'see whether the command was carried out');
  const refused = await askLeader(command, { database, clock, isStopped: () => false });
  assert.match(JSON.stringify(refused), 'see whether the command was carried out');
});

test.run();

/** `ms` in steps of a tenth of a second, with time for what falls due. */
async function passed(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    clock.advance(100);
    await turn();
  }
  await turn();
}

async function openMember(wrap: (shared: SharedDatabase) => SharedDatabase = (shared) => shared) {
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, leaseMs);
  let started = 0;
  let stopped = 0;
  let isFailing = false;
  const refusing = (shared: SharedDatabase): SharedDatabase => ({
    ...shared,
    term: (...args) => {
      const store = shared.term(...args);
      return {
        ...store,
        commit: async (transaction) => {
          if (isFailing) {
            isFailing = false;
            throw new OpError('store-full', 'full', { retry: { kind: 'backoff' } });
          }
          await store.commit(transaction);
        },
      };
    },
  });
  const member = new Member(
    {
      database: wrap(refusing(database.open('r1'))),
      clock,
      logger: recordingLogger(),
      publisher: { proxies: () => [], publish: () => {} },
      replica: 'r1',
      describe: () => ({ name: 'r1', version: '1', xds: '', http: '' }),
      notificationsFor: () => [],
      onState: () => {},
      duties: () => ({
        measurer: { watch: () => {} },
        wakeDispatcher: () => {},
        sinks: () => [],
        start: () => {
          started += 1;
        },
        pollNow: () => {},
        stop: async () => {
          stopped += 1;
        },
      }),
    },
    { leaseMs, ackDeadlineMs: 10_000 },
  );
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 12; round += 1) {
      await turn();
    }
  };
  await member.start(new Map());
  void member.join();
  await settle();
  return {
    ...{ member, database, clock, settle, running: () => started - stopped },
    /** The next commit is refused, and nothing of it is durable. */
    failNext: () => {
      isFailing = true;
    },
  };
}

const web: ProxyStatus = {
  id: proxyId('web'),
  identity: {
    nodeId: 'mesh/demo/virtualNode/web',
    resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
    instance: 'web',
    kind: 'envoy',
    egress: { address: '127.0.0.1', port: 15001 },
  },
  address: '127.0.0.1:1',
  connectedAtMs: 0,
  ackedGeneration: 0,
  types: {},
  userAgent: 'envoy',
};
