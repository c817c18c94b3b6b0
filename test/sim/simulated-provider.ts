/** The provider that gates of a simulation ask: it may be right, lie, talk nonsense, die, or be late. */
import type { Outcome } from '../../controller/rollout/gates/measurement.js';

export const providerMoods = [
  'good',
  'good',
  'bad',
  'nan',
  'empty',
  'dead',
  'silent',
  'late',
] as const;

export type ProviderMood = (typeof providerMoods)[number];

/** What it answers to a question of which 1 is the limit; undefined: nothing, not even an error. */
export function outcomeOf(mood: ProviderMood, atMs: number): Outcome | undefined {
  switch (mood) {
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
