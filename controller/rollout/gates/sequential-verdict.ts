/** What the sequential judge's evidence means for a gate, and how it is told. */
import { rateOf } from '../judge/counts.js';
import {
  harmEvidence,
  type JudgeSettings,
  type JudgeState,
  safetyEvidence,
} from '../judge/sequential.js';
import type { Judgement } from './kind.js';
import { figure, percent, samples } from './text.js';

export interface SequentialCase {
  /** `error rate`. */
  readonly metric: string;
  readonly judge: JudgeState;
  readonly settings: JudgeSettings;
  /** How long the step has been looked at. */
  readonly windowMs: number;
}

export function sequentialVerdict(one: SequentialCase): Judgement {
  const { judge, settings } = one;
  if (harmEvidence(judge) >= 1 / settings.alpha) {
    return harmful(one);
  }
  return safetyEvidence(judge) >= 1 / settings.beta ? safe(one) : undecided(one);
}

function harmful(one: SequentialCase): Judgement {
  const { metric, judge, settings } = one;
  const isCompared = settings.hasBaseline && judge.baseline.requests > 0;
  const limit = isCompared ? rateOf(judge.baseline) + settings.margin : settings.cap;
  const evidence = evidenceText('harm', harmEvidence(judge), settings.alpha);
  return {
    ...common(one, limit),
    verdict: 'fail',
    text: figure({
      metric,
      observed: percent(rateOf(judge.canary)),
      op: '>',
      limit: `${percent(limit)}${isCompared ? ` ${baselineText(settings)}` : ''}`,
      samples: `${seenText(one)}; ${evidence}`,
    }),
  };
}

function baselineText({ margin }: JudgeSettings): string {
  return margin === 0 ? 'of the baseline' : `of the baseline and ${percent(margin)}`;
}

function safe(one: SequentialCase): Judgement {
  const { metric, judge, settings } = one;
  const evidence = evidenceText('safety', safetyEvidence(judge), settings.beta);
  return {
    ...common(one, settings.cap),
    verdict: 'pass',
    text: figure({
      metric,
      observed: percent(rateOf(judge.canary)),
      op: '<',
      limit: percent(settings.cap),
      samples: `${seenText(one)}; ${evidence}`,
    }),
  };
}

/** What was seen speaks against the canary from here on: ten to one, or a rate that no step is left on. */
const contestedFrom = 10;

function undecided(one: SequentialCase): Judgement {
  const { metric, judge, settings } = one;
  const { canary, baseline } = judge;
  const result = { ...common(one, settings.cap), verdict: 'none' as const };
  if (canary.requests === 0) {
    const text = `${metric}: the canary has had no request (${seenText(one)})`;
    return { ...result, code: 'no-requests', text };
  }
  const rate = rateOf(canary);
  const cap = percent(settings.cap);
  const isAbove = canary.hits > 1 && rate >= settings.cap;
  const harm = harmEvidence(judge);
  const isContested = isAbove || harm >= contestedFrom;
  const evidence = [
    evidenceText('safety', safetyEvidence(judge), settings.beta),
    ...(harm >= 2 ? [evidenceText('harm', harm, settings.alpha)] : []),
  ];
  const seen = `(${seenText(one)}; ${evidence.join(', ')})`;
  if (isAbove && rateOf(baseline) >= settings.cap / 2) {
    const both = `the baseline's is ${percent(rateOf(baseline))}: both suffer`;
    const text = `${metric} ${percent(rate)} is not below ${cap}, but ${both} ${seen}`;
    return { ...result, isContested, code: 'both-suffer', text };
  }
  const text = `${metric} ${percent(rate)}, not yet proven below ${cap} ${seen}`;
  return { ...result, isContested, code: 'undecided', text };
}

function common({ judge }: SequentialCase, limit: number) {
  const { canary } = judge;
  return {
    observed: canary.requests === 0 ? undefined : toPercent(rateOf(canary)),
    limit: toPercent(limit),
    samples: canary.requests,
  };
}

function toPercent(rate: number): number {
  return Math.round(rate * 10_000) / 100;
}

/** `412 requests against 7830, 2m35s`. */
function seenText({ judge, settings, windowMs }: SequentialCase): string {
  const noun = settings.hasBaseline ? `requests against ${judge.baseline.requests}` : 'requests';
  return samples(judge.canary.requests, noun, Math.floor(windowMs / 1000) * 1000);
}

/** `harm 431 of 100`: what was reached of what is asked. */
function evidenceText(name: string, reached: number, probability: number): string {
  const shown = reached < 10 ? reached.toFixed(1) : Math.min(1e6, Math.round(reached)).toString();
  return `${name} ${shown} of ${Math.round(1 / probability)}`;
}
