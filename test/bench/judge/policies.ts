/** A rollout of the default steps under the sequential judge, and under a plain threshold rule. */
import { seededRandom } from '../../../controller/base/random.js';
import { capAt } from '../../../controller/rollout/judge/safety.js';
import {
  enterStep,
  harmEvidence,
  type JudgeState,
  learn,
  look,
  newJudge,
  safetyEvidence,
} from '../../../controller/rollout/judge/sequential.js';
import { blocksPerMinute, type Traffic, trafficSource } from './traffic.js';

export interface Outcome {
  readonly end: 'promoted' | 'rolledBack' | 'held';
  readonly minutes: number;
  /** Errors that the canary's users saw. */
  readonly errors: number;
}

const shares = [0.05, 0.25, 0.5, 1] as const;
const deadlineMinutes = 30;

/** The gate `compare` as it is by default. `warmMinutes`: how long the stable version was watched before. */
export function judged(seed: number, traffic: Traffic, warmMinutes = 15): Outcome {
  const random = seededRandom(seed);
  const draw = trafficSource(random, traffic);
  const before = Array.from({ length: warmMinutes * blocksPerMinute }, () => draw(0, 0).baseline);
  let state: JudgeState = learn(newJudge, before);
  let block = 0;
  let errors = 0;
  for (const share of shares) {
    state = enterStep(state);
    const cap = capAt(share);
    const settings = { alpha: 0.01, beta: 0.05, margin: 0, cap, hasBaseline: share < 1 };
    const first = block;
    for (;;) {
      const drawn = draw(share, block / blocksPerMinute);
      state = look(state, drawn, settings);
      block += 1;
      errors += drawn.canary.hits;
      const minutes = block / blocksPerMinute;
      if (harmEvidence(state) >= 1 / settings.alpha) {
        return { end: 'rolledBack', minutes, errors };
      }
      const stepBlocks = block - first;
      if (stepBlocks >= blocksPerMinute && safetyEvidence(state) >= 1 / settings.beta) {
        break;
      }
      if (stepBlocks >= deadlineMinutes * blocksPerMinute) {
        return { end: 'held', minutes, errors };
      }
    }
  }
  return { end: 'promoted', minutes: block / blocksPerMinute, errors };
}

/**
 * The usual rule: each minute the canary's success rate of that minute must be 99 %; no request is a
 * failure; five failures over the rollout roll it back.
 */
export function thresholded(seed: number, traffic: Traffic): Outcome {
  const random = seededRandom(seed);
  const draw = trafficSource(random, traffic);
  let failures = 0;
  let errors = 0;
  let minute = 0;
  for (const share of shares) {
    for (let isPassed = false; !isPassed; ) {
      let requests = 0;
      let hits = 0;
      for (let block = 0; block < blocksPerMinute; block += 1) {
        const { canary } = draw(share, minute);
        requests += canary.requests;
        hits += canary.hits;
      }
      minute += 1;
      errors += hits;
      isPassed = requests > 0 && hits / requests <= 0.01;
      failures += isPassed ? 0 : 1;
      if (failures === 5) {
        return { end: 'rolledBack', minutes: minute, errors };
      }
    }
  }
  return { end: 'promoted', minutes: minute, errors };
}
