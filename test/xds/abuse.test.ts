/**
 * Peers that mean harm, against a server process of its own: each attack goes on until it has been answered
 * as it should be. Afterwards well-behaved clients on their old connections get an update as before, a new
 * one gets in, and the server's memory has not risen by more than the attack is worth. What each costs in
 * time is measured by `npm run bench:abuse`.
 */
import { setMaxListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newTally, type Tally } from '../support/abuse/attack.js';
import { attacks } from '../support/abuse/attacks.js';
import { residentMb, type Siege, startSiege } from '../support/abuse/siege.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

interface Expected {
  /** What the server has to do before the attack may end. */
  readonly until: (tally: Tally) => boolean;
  /** By how much its memory may rise; the usual ups and downs of Node's heap are some tens of MB. */
  readonly maxMb: number;
}

const isCut = ({ cut }: Tally): boolean => cut >= 1;
const cutOff: Expected = { until: isCut, maxMb: 100 };
/** Too many a second for a server of any speed, not for an attacker of any: `conduct.test.ts` has the rate. */
const kept: Expected = { until: ({ sent }) => sent >= 5_000, maxMb: 100 };
const exhausted: Expected = { until: ({ ended }) => (ended.get('8') ?? 0) >= 20, maxMb: 200 };

/** Peers that go silent are in `transport.test.ts`, where the server's patience is short. */
const expected: Readonly<Record<string, Expected>> = {
  'rapid-reset': cutOff,
  'continuation-flood': cutOff,
  'ping-flood': cutOff,
  'ping-flood-deaf': cutOff,
  'settings-flood': cutOff,
  'settings-flood-deaf': cutOff,
  'empty-data-flood': cutOff,
  'priority-flood': cutOff,
  'window-flood': cutOff,
  'unknown-frame-flood': cutOff,
  'header-bomb': cutOff,
  'one-byte-windows': cutOff,
  'slow-readers': { until: ({ sent }) => sent >= 400, maxMb: 200 },
  'slow-writers': { until: isCut, maxMb: 150 },
  'drip-writers': cutOff,
  truncated: { until: ({ connections }) => connections >= 50, maxMb: 100 },
  oversized: exhausted,
  'compressed-bomb': { until: ({ ended }) => (ended.get('12') ?? 0) >= 20, maxMb: 100 },
  'many-names': cutOff,
  'most-names': { until: isCut, maxMb: 250 },
  'unknown-types': kept,
  'node-ids': exhausted,
  'asks-again': kept,
};

const test = suite('xds: abuse');
const undo: Undo = [];

const siege: Siege = await openStage(test, undo, async () => {
  const started = await startSiege({ services: 100, clients: 5 });
  undo.push(() => started.stop());
  return started;
});

for (const [name, { until: isAnswered, maxMb }] of Object.entries(expected)) {
  const attack = attacks.find((one) => one.name === name);
  test(`${name}: ${attack?.what}`, async () => {
    assert.ok(attack !== undefined);
    const { target } = siege;
    const beforeMb = residentMb(target.pid);
    const [stop, tally] = [new AbortController(), newTally()];
    setMaxListeners(0, stop.signal);
    const playing = attack.play(target.xds, stop.signal, tally);
    let peakMb = 0;
    try {
      await until('the attack is answered', () => {
        peakMb = Math.max(peakMb, residentMb(target.pid) - beforeMb);
        return isAnswered(tally);
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}; so far ${JSON.stringify(tally)} ${[...tally.ended]}`);
      });
      const { updateMs } = await siege.update();
      assert.is(updateMs.length, 5, 'those that behave were served meanwhile');
    } finally {
      stop.abort();
      await playing;
    }
    assert.ok(peakMb < maxMb, `memory rose by ${peakMb.toFixed()} MB`);
    const newcomer = target.client();
    const stream = newcomer.delta('node-99999');
    stream.send('cluster');
    assert.ok((await stream.receive('cluster')).names.length > 0, 'a new one gets in');
    newcomer.close();
  });
}

test('every attack is played here, or where the server has less patience', () => {
  const elsewhere = ['connection-flood', 'half-open'];
  assert.equal(
    attacks.map(({ name }) => name).sort(),
    [...Object.keys(expected), ...elsewhere].sort(),
  );
});

test.run();
