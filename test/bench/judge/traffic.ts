/** Traffic for the judge, drawn from a seed: requests as they come, errors one by one or in clumps. */
import type { Random } from '../../../controller/base/random.js';
import type { Block, Counts } from '../../../controller/rollout/judge/counts.js';
import { blockMs } from '../../../controller/rollout/judge/counts.js';

export interface Traffic {
  readonly requestsPerMinute: number;
  /** Rates from 0 to 1. */
  readonly canaryRate: number;
  readonly baselineRate: number;
  /** Errors that one event makes; 1: they come one by one. */
  readonly clump: number;
  /** A rate that both arms have instead, between these minutes. */
  readonly outage?: {
    readonly rate: number;
    readonly fromMinute: number;
    readonly toMinute: number;
  };
}

export const blocksPerMinute = 60_000 / blockMs;

/** Blocks of `traffic`, one a call, while `share` of the requests go to the canary. */
export function trafficSource(
  random: Random,
  traffic: Traffic,
): (share: number, minute: number) => Block {
  const { outage, clump, requestsPerMinute } = traffic;
  const canaryHits = hitSource(random, clump);
  const baselineHits = hitSource(random, clump);
  return (share, minute) => {
    const isOut = outage !== undefined && minute >= outage.fromMinute && minute < outage.toMinute;
    const requests = poisson(random, requestsPerMinute / blocksPerMinute);
    const canaries = binomial(random, requests, share);
    return {
      canary: canaryHits(canaries, isOut ? outage.rate : traffic.canaryRate),
      baseline: baselineHits(requests - canaries, isOut ? outage.rate : traffic.baselineRate),
    };
  };
}

/** An event fails the next `clump` requests of its arm, in this block and those that follow. */
function hitSource(random: Random, clump: number): (requests: number, rate: number) => Counts {
  let due = 0;
  return (requests, rate) => {
    if (clump === 1) {
      return { requests, hits: binomial(random, requests, rate) };
    }
    due += clump * poisson(random, (requests * rate) / clump);
    const hits = Math.min(requests, due);
    due -= hits;
    return { requests, hits };
  };
}

function poisson(random: Random, mean: number): number {
  if (mean > 50) {
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) {
    count += 1;
  }
  return count;
}

function binomial(random: Random, trials: number, rate: number): number {
  const mean = trials * rate;
  const variance = mean * (1 - rate);
  if (variance > 50) {
    const drawn = Math.round(mean + Math.sqrt(variance) * normal(random));
    return Math.min(trials, Math.max(0, drawn));
  }
  let count = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    count += random() < rate ? 1 : 0;
  }
  return count;
}

/** Box and Muller's. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
