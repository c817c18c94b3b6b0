/** One replica where its terms begin and end: nothing that happens just then is lost or left running. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import { Member } from '../../controller/replicas/member.js';
import type { SharedDatabase } from '../../controller/replicas/ports.js';
import { manualClock } from '../support/clock.js';
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

test.run();

async function openMember(wrap: (shared: SharedDatabase) => SharedDatabase = (shared) => shared) {
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, leaseMs);
  let started = 0;
  let stopped = 0;
  const member = new Member(
    {
      database: wrap(database.open('r1')),
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
  return { member, database, clock, settle, running: () => started - stopped };
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
