/** The provider that gates of a simulation ask: it may be right, lie, talk nonsense, die, or be late. */
import type { Random } from '../../controller/base/random.js';
import type { Outcome } from '../../controller/rollout/gates/measurement.js';
import { pick } from './mesh-wish.js';

/** What becomes of one question. */
export type Answering = 'good' | 'bad' | 'nan' | 'empty' | 'dead' | 'silent' | 'late';

/** `fickle`: something else at each question, so that no answer goes for the next one. */
export type ProviderMood = Answering | 'fickle';

export const providerMoods: readonly ProviderMood[] = [
  'good',
  'good',
  'bad',
  'nan',
  'empty',
  'dead',
  'silent',
  'late',
  'fickle',
  'fickle',
  'fickle',
];

/** Out of how many; seldom a bad one, which ends the rollout and all that could be answered wrongly. */
const fickleChances: Readonly<Record<Answering, number>> = {
  good: 7,
  nan: 3,
  dead: 3,
  late: 3,
  empty: 1,
  silent: 1,
  bad: 1,
};

const fickle = Object.entries(fickleChances).flatMap(([answering, chances]) =>
  Array.from({ length: chances }, () => answering as Answering),
);

export function answeringOf(mood: ProviderMood, random: Random): Answering {
  return mood === 'fickle' ? pick(random, fickle) : mood;
}

/** What it answers to a question of which 1 is the limit; undefined: nothing, not even an error. */
export function outcomeOf(answering: Answering, atMs: number): Outcome | undefined {
  switch (answering) {
    case 'good':
    case 'late':
      return { kind: 'number', value: 0.5, atMs };
    case 'bad':
      return { kind: 'number', value: 2, atMs };
    case 'nan':
      return { kind: 'number', value: Number.NaN, atMs };
    case 'empty':
      return { kind: 'noData', code: 'query-no-series', message: 'no series' };
    case 'dead':
      return { kind: 'error', code: 'unreachable', message: 'connection refused' };
    case 'silent':
      return undefined;
  }
}
