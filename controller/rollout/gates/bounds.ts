/** A number against its bounds. */
import type { Bounds } from '../../mesh/gates.js';
import type { Figure } from './text.js';

export interface Compared {
  readonly hasPassed: boolean;
  readonly op: Figure['op'];
  /** What stands behind `op`. */
  readonly limit: string;
  /** The bound that decided; of two that hold the upper one. */
  readonly bound?: number;
}

/** At a bound is within it. Without any bound every number passes. */
export function compare(value: number, { min, max }: Bounds): Compared {
  if (min !== undefined && value < min) {
    return { hasPassed: false, op: '<', limit: `${min}`, bound: min };
  }
  if (max !== undefined && value > max) {
    return { hasPassed: false, op: '>', limit: `${max}`, bound: max };
  }
  const upper = max === undefined ? '' : ` and ≤ ${max}`;
  return min === undefined
    ? { hasPassed: true, op: '≤', limit: `${max}`, bound: max }
    : { hasPassed: true, op: '≥', limit: `${min}${upper}`, bound: max ?? min };
}

/** `≥ 1 and ≤ 5`. */
export function renderBounds({ min, max }: Bounds): string {
  const parts = [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
  ];
  return parts.join(' and ');
}

/** At most six significant digits: `0.0123457`, `1234.5`. */
export function renderNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
