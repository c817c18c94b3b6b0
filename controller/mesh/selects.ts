/** Labels that select. */
import type { Labels } from './model.js';

/** True where `labels` have all of `wanted`, of which there is at least one. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  const pairs = Object.entries(wanted);
  return (
    pairs.length > 0 &&
    pairs.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)
  );
}
