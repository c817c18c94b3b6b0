/** Figures as people read them, the same for every gate: `metric observed op limit (n samples, window)`. */
import { renderDuration } from '../../base/duration.js';

export interface Figure {
  /** `success rate`. */
  readonly metric: string;
  /** With its unit: `70.97%`. */
  readonly observed: string;
  readonly op: '<' | '≤' | '≥' | '>' | '=' | '≠';
  readonly limit: string;
  /** What `observed` was computed from, in the form of `samples`. */
  readonly samples: string;
}

/** `success rate 70.97% < 99% (31 requests, 6s)`. */
export function figure({ metric, observed, op, limit, samples }: Figure): string {
  return `${metric} ${observed} ${op} ${limit} (${samples})`;
}

/** `31 requests, 6s`. */
export function samples(count: number, noun: string, windowMs: number): string {
  return `${count} ${noun}, ${renderDuration(windowMs)}`;
}

/** A share of 0 to 1 as `0.48%`. */
export function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100}%`;
}

/** `2026-01-01T00:00:05Z`. */
export function renderTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
