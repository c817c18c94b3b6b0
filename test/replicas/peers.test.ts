/** What a replica knows of the others' proxies when news get lost: nobody who is gone is waited for. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import { Peers } from '../../controller/replicas/peers.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';
import { SimulatedDatabase } from './simulated-database.js';

const test = suite('peers');

test('a proxy that goes while nothing can be told is gone for the others afterwards', async () => {
  const { a, b, database, pass } = await twoReplicas();
  a.connect('web');
  await pass(1_000);
  assert.equal(b.known(), ['web']);
  database.cutOff.add('a');
  a.disconnect('web');
  await pass(4_000);
  database.cutOff.clear();
  await pass(4_000);
  assert.equal(b.known(), []);
});

test('what a database forgot of those that are there is told again', async () => {
  const { a, b, database, pass } = await twoReplicas();
  a.connect('web');
  await pass(1_000);
  database.cutOff.add('a');
  await pass(4_000);
  database.forget('a');
  database.cutOff.clear();
  await pass(4_000);
  assert.equal(b.known(), ['web']);
});

test('a replica that was away while marks were thrown away knows no more than there is', async () => {
  const { a, b, database, pass } = await twoReplicas();
  a.connect('web');
  a.connect('api');
  await pass(1_000);
  database.cutOff.add('b');
  a.disconnect('web');
  await pass(70_000);
  database.cutOff.clear();
  await pass(2_000);
  assert.equal(b.known(), ['api']);
});

test('a replica that died is gone once, and its rows are not taken for news', async () => {
  const { a, b, pass } = await twoReplicas();
  a.connect('web');
  await pass(15_000);
  assert.equal(b.known(), ['web']);
  a.isAlive = false;
  await pass(15_000);
  assert.equal(b.known(), []);
  b.events.length = 0;
  await pass(30_000);
  assert.equal(b.events, []);
  assert.is(b.logger.lines.filter(({ event }) => event === 'replica.gone').length, 1);
});

test('a replica that was only silent has its proxies again, and no figure counts twice', async () => {
  const { a, b, database, pass } = await twoReplicas();
  a.connect('web');
  a.report(5);
  await pass(15_000);
  assert.is(b.successes(), 5);
  database.cutOff.add('a');
  await pass(15_000);
  assert.equal(b.known(), []);
  database.cutOff.clear();
  await pass(5_000);
  assert.equal(b.known(), ['web']);
  assert.is(b.successes(), 5);
});

test.run();

async function twoReplicas() {
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, 15_000);
  const a = new Replica('a', database, clock);
  const b = new Replica('b', database, clock);
  await Promise.all([a.peers.start(), b.peers.start()]);
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500);
      for (let round = 0; round < 4; round += 1) {
        await turn();
      }
    }
  };
  return { a, b, database, pass };
}

class Replica {
  readonly peers: Peers;
  readonly events: LoopEvent[] = [];
  readonly logger = recordingLogger();
  isAlive = true;
  private readonly own = new Map<string, ProxyStatus>();
  private readonly heardOf = new Set<string>();
  private sum = 0;

  constructor(
    readonly name: string,
    database: SimulatedDatabase,
    private readonly clock: ManualClock,
  ) {
    this.peers = new Peers({
      database: database.open(name),
      clock: {
        now: () => clock.now(),
        after: (delayMs, callback) =>
          clock.after(delayMs, () => (this.isAlive ? callback() : undefined)),
      },
      logger: this.logger,
      replica: name,
      proxies: () => [...this.own.values()],
      position: () => ({ epoch: 1, seq: 1 }),
      describe: () => '{}',
      onEvent: (event) => this.take(event),
    });
  }

  /** Proxies of the fleet, by their ids. */
  known(): readonly string[] {
    return [...this.heardOf].sort();
  }

  /** All that load reports told. */
  successes(): number {
    return this.sum;
  }

  connect(id: string): void {
    const proxy: ProxyStatus = {
      id: proxyId(id),
      identity: {
        nodeId: 'mesh/demo/virtualNode/web',
        resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
        instance: id,
        kind: 'envoy',
        egress: { address: '127.0.0.1', port: 15001 },
      },
      address: '127.0.0.1:1',
      connectedAtMs: this.clock.now(),
      ackedGeneration: 1,
      types: {},
      userAgent: 'envoy',
    };
    this.own.set(id, proxy);
    this.peers.note({ kind: 'proxyConnected', proxy });
  }

  disconnect(id: string): void {
    this.own.delete(id);
    this.peers.note({ kind: 'proxyDisconnected', id: proxyId(id), clean: true });
  }

  report(successes: number): void {
    const nowMs = this.clock.now();
    const sample = {
      ...{ source: 'web', cluster: 'c', successes, errors: 0, issued: successes },
      ...{ fromMs: nowMs - 1_000, toMs: nowMs },
    };
    this.peers.note({ kind: 'loadReported', samples: [sample as never] });
  }

  private take(event: LoopEvent): void {
    this.events.push(event);
    if (event.kind === 'proxyConnected' || event.kind === 'proxyAcked') {
      this.heardOf.add(event.proxy.id);
    } else if (event.kind === 'proxyDisconnected') {
      this.heardOf.delete(event.id);
    } else if (event.kind === 'loadReported') {
      this.sum += event.samples.reduce((sum, sample) => sum + sample.successes, 0);
    }
  }
}
