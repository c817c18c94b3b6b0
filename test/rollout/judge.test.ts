/**
 * The sequential judge: what its factors are worth on average, computed and not drawn; how often it is
 * wrong over many seeded rollouts that are looked at again and again; and how soon it is right.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { type Counts, noCounts } from '../../controller/rollout/judge/counts.js';
import {
  addBlock,
  dispersionFactor,
  noDispersion,
} from '../../controller/rollout/judge/dispersion.js';
import { type HarmNull, harmBets, logHarmFactor } from '../../controller/rollout/judge/harm.js';
import { capAt, logSafetyFactor, safetyBets } from '../../controller/rollout/judge/safety.js';
import {
  enterStep,
  harmEvidence,
  type JudgeSettings,
  look,
  newJudge,
  safetyEvidence,
} from '../../controller/rollout/judge/sequential.js';
import { type Traffic, trafficSource } from '../bench/judge/traffic.js';

const judge = suite('judge');

/** Probability of each count of hits among `requests` at `rate`. */
function binomial(requests: number, rate: number): readonly number[] {
  let chance = (1 - rate) ** requests;
  return Array.from({ length: requests + 1 }, (_, hits) => {
    const now = chance;
    chance *= ((requests - hits) / (hits + 1)) * (rate / (1 - rate));
    return now;
  });
}

function meanHarmFactor(
  sizes: { readonly canary: number; readonly baseline: number },
  rates: { readonly canary: number; readonly baseline: number },
  harmNull: HarmNull,
  bet: number,
): number {
  const canaryChances = binomial(sizes.canary, rates.canary);
  const baselineChances = binomial(sizes.baseline, rates.baseline);
  let mean = 0;
  for (const [canaryHits, canaryChance] of canaryChances.entries()) {
    for (const [baselineHits, baselineChance] of baselineChances.entries()) {
      const block = {
        canary: { requests: sizes.canary, hits: canaryHits },
        baseline: { requests: sizes.baseline, hits: baselineHits },
      };
      const factor = Math.exp(logHarmFactor(block, harmNull, bet));
      mean += canaryChance * baselineChance * factor;
    }
  }
  return mean;
}

const sizes = [
  { canary: 1, baseline: 1 },
  { canary: 2, baseline: 30 },
  { canary: 12, baseline: 5 },
  { canary: 20, baseline: 20 },
];
const rates = [0.001, 0.02, 0.2, 0.5, 0.9];
const tiny = 1e-9;

judge('a bet on harm gains nothing on average while the canary is no worse', () => {
  for (const size of sizes) {
    for (const baseline of rates) {
      for (const canary of rates.filter((rate) => rate <= baseline)) {
        for (const bet of harmBets) {
          const mean = meanHarmFactor(size, { canary, baseline }, { kind: 'noWorse' }, bet);
          assert.ok(mean <= 1 + tiny, `${JSON.stringify({ size, canary, baseline, bet, mean })}`);
        }
      }
    }
  }
});

judge('nor within a margin, whatever rate of the baseline was guessed', () => {
  const margin = 0.05;
  for (const size of sizes) {
    for (const baseline of rates) {
      for (const canary of [0.001, baseline, baseline + margin / 2, baseline + margin]) {
        for (const baselineRate of [0.0005, 0.03, 0.4]) {
          for (const bet of harmBets) {
            const harmNull: HarmNull = { kind: 'margin', margin, baselineRate };
            const mean = meanHarmFactor(size, { canary, baseline }, harmNull, bet);
            assert.ok(mean <= 1 + tiny, `${JSON.stringify({ size, canary, baseline, bet, mean })}`);
          }
        }
      }
    }
  }
});

judge('and gains where it is worse by more than the margin', () => {
  const size = { canary: 20, baseline: 20 };
  const worse = { canary: 0.5, baseline: 0.05 };
  const harmNull: HarmNull = { kind: 'margin', margin: 0.05, baselineRate: 0.05 };
  assert.ok(meanHarmFactor(size, worse, harmNull, 5) > 10);
  assert.ok(meanHarmFactor(size, worse, { kind: 'noWorse' }, 5) > 10);
});

judge('a bet on safety gains nothing on average at the cap or above it', () => {
  for (const requests of [1, 10, 100]) {
    for (const cap of [0.02, 0.2]) {
      for (const rate of [cap, cap * 1.5, 0.6]) {
        for (const part of safetyBets) {
          const mean = binomial(requests, rate).reduce(
            (sum, chance, hits) =>
              sum + chance * Math.exp(logSafetyFactor({ requests, hits }, cap, part)),
            0,
          );
          assert.ok(mean <= 1 + tiny, `${JSON.stringify({ requests, cap, rate, part, mean })}`);
        }
      }
    }
  }
});

judge('without an error a step needs at most ln(4/β)/cap requests', () => {
  for (const cap of [0.2, 0.1, 0.05, 0.02]) {
    let state = newJudge;
    let requests = 0;
    while (safetyEvidence(state) < 20) {
      const block = { canary: { requests: 1, hits: 0 }, baseline: noCounts };
      state = look(state, block, { ...settings, cap });
      requests += 1;
    }
    assert.ok(requests <= Math.ceil(Math.log(80) / cap), `${requests} requests at ${cap}`);
    assert.ok(requests > Math.log(20) / cap / 1.2, `${requests} requests at ${cap}`);
  }
});

judge('the cap tightens as more users see the step', () => {
  const caps = [0.01, 0.05, 0.1, 0.25, 0.5, 1].map(
    (share) => Math.round(capAt(share) * 1000) / 1000,
  );
  assert.equal(caps, [0.2, 0.2, 0.1, 0.04, 0.02, 0.02]);
});

const settings: JudgeSettings = { alpha: 0.05, beta: 0.05, margin: 0, cap: 0.2, hasBaseline: true };

/** Of `runs` seeded rollouts those that are taken for harmful at any of `looks` looks. */
function alarms(
  traffic: Traffic,
  { runs = 200, looks = 200, share = 0.5, margin = 0 }: Readonly<Record<string, number>> = {},
): number {
  let alarmed = 0;
  for (let seed = 1; seed <= runs; seed += 1) {
    const draw = trafficSource(seededRandom(seed), traffic);
    let state = newJudge;
    for (let block = 0; block < looks; block += 1) {
      state = look(state, draw(share, 0), { ...settings, margin });
      if (harmEvidence(state) >= 1 / settings.alpha) {
        alarmed += 1;
        break;
      }
    }
  }
  return alarmed / runs;
}

const equal: Traffic = { requestsPerMinute: 600, canaryRate: 0.02, baselineRate: 0.02, clump: 1 };

/** What a rate of at most α = 0.05 stays below in 200 runs but once in a thousand tries. */
const alarmsMax = 0.1;

judge('200 looks at a healthy canary alarm in at most α of the rollouts', () => {
  assert.ok(alarms(equal) <= alarmsMax);
  assert.ok(alarms(equal, { share: 0.05 }) <= alarmsMax);
  assert.ok(alarms({ ...equal, canaryRate: 0.3, baselineRate: 0.3 }) <= alarmsMax);
  assert.ok(alarms({ ...equal, canaryRate: 0.03 }, { margin: 0.01 }) <= alarmsMax);
});

judge('nor do errors in clumps alarm more often', () => {
  assert.ok(alarms({ ...equal, clump: 5 }) <= alarmsMax);
  assert.ok(alarms({ ...equal, clump: 20 }) <= alarmsMax);
  assert.ok(alarms({ ...equal, clump: 20 }, { share: 0.05 }) <= alarmsMax);
});

judge('an outage of both is nobody’s harm', () => {
  const outage = { rate: 0.4, fromMinute: 0, toMinute: 100 };
  assert.ok(alarms({ ...equal, outage }) <= alarmsMax);
});

judge('a worse canary is found, at low traffic too', () => {
  assert.is(alarms({ ...equal, canaryRate: 0.2 }, { looks: 60, runs: 100 }), 1);
  assert.is(alarms({ ...equal, canaryRate: 0.2, clump: 5 }, { looks: 240, runs: 100 }), 1);
  const quiet = { ...equal, requestsPerMinute: 30, canaryRate: 0.5, baselineRate: 0.01 };
  assert.ok(alarms(quiet, { looks: 120, runs: 100, share: 0.25 }) > 0.9);
  assert.is(alarms({ ...equal, canaryRate: 0.3 }, { looks: 60, runs: 100, margin: 0.05 }), 1);
});

judge('one block alone is never an alarm, however bad', () => {
  const burst = { canary: { requests: 1000, hits: 1000 }, baseline: { requests: 1000, hits: 0 } };
  assert.ok(harmEvidence(look(newJudge, burst, settings)) < 1 / settings.alpha);
});

judge('a canary that breaks after a long time of health is found soon', () => {
  let state = newJudge;
  const healthy = { canary: { requests: 100, hits: 2 }, baseline: { requests: 100, hits: 2 } };
  for (let block = 0; block < 2000; block += 1) {
    state = look(state, healthy, settings);
  }
  const broken = { canary: { requests: 100, hits: 40 }, baseline: { requests: 100, hits: 2 } };
  let blocks = 0;
  while (harmEvidence(state) < 1 / settings.alpha) {
    state = look(state, broken, settings);
    blocks += 1;
    assert.ok(blocks < 40, `not found after ${blocks} blocks`);
  }
});

judge('what speaks for harm outlives a step, what speaks for safety does not', () => {
  const worse = { canary: { requests: 50, hits: 4 }, baseline: { requests: 50, hits: 0 } };
  const before = look(look(newJudge, worse, settings), worse, settings);
  const after = enterStep(before);
  assert.is(harmEvidence(after), harmEvidence(before));
  assert.is(safetyEvidence(after), 1);
  assert.is(after.canary.requests, 0);
});

judge('without a baseline the canary is held against its cap', () => {
  const alone: JudgeSettings = { ...settings, hasBaseline: false, cap: 0.02 };
  const blockOf = (hits: number) => ({ canary: { requests: 100, hits }, baseline: noCounts });
  let healthy = newJudge;
  let broken = newJudge;
  for (let block = 0; block < 100; block += 1) {
    healthy = look(healthy, blockOf(block % 2), alone);
    broken = look(broken, blockOf(30), alone);
  }
  assert.ok(harmEvidence(healthy) < 1);
  assert.ok(harmEvidence(broken) >= 1 / settings.alpha);
});

judge('the state is JSON, whatever was seen', () => {
  let state = newJudge;
  const worst = { canary: { requests: 1e6, hits: 1e6 }, baseline: { requests: 1e6, hits: 0 } };
  const best = { canary: { requests: 1e6, hits: 0 }, baseline: { requests: 1e6, hits: 1e6 } };
  for (const block of [worst, worst, best, best, best, worst]) {
    state = look(state, block, settings);
    assert.equal(JSON.parse(JSON.stringify(state)), state);
    assert.ok(Number.isFinite(harmEvidence(state)) && Number.isFinite(safetyEvidence(state)));
  }
});

judge('the dispersion is the size of a clump, and 1 where errors come one by one', () => {
  const measured = (traffic: Traffic): number => {
    const draw = trafficSource(seededRandom(7), traffic);
    let series = noDispersion;
    for (let block = 0; block < 2000; block += 1) {
      series = addBlock(series, draw(0.5, block / 12).canary);
    }
    return dispersionFactor(series);
  };
  assert.ok(measured(equal) < 1.3);
  const clumped = measured({ ...equal, requestsPerMinute: 6000, clump: 10 });
  assert.ok(clumped > 7 && clumped < 13, `${clumped}`);
  // A rate that is high for a while is no clump.
  const outage = { rate: 0.3, fromMinute: 50, toMinute: 100 };
  assert.ok(measured({ ...equal, outage }) < 2);
});

judge('blocks without requests say nothing', () => {
  const silence: Counts = noCounts;
  const state = look(newJudge, { canary: silence, baseline: silence }, settings);
  assert.is(safetyEvidence(state), 1);
  assert.ok(Math.abs(harmEvidence(state) - 1) < tiny);
});

judge.run();
