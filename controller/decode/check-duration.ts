/** Durations of policies, whose ranges a schema cannot say. */
import { renderDuration } from '../base/duration.js';
import type { FieldPath } from '../mesh/document.js';
import type { Finding } from './finding.js';

/** Empty where `durationMs` lies between the two bounds or at one. */
export function checkDuration(
  durationMs: number,
  path: FieldPath,
  [fromMs, toMs]: readonly [number, number],
): readonly Finding[] {
  if (durationMs >= fromMs && durationMs <= toMs) {
    return [];
  }
  const found = renderDuration(durationMs);
  const allowed = `${renderDuration(fromMs)} to ${renderDuration(toMs)}`;
  const text = `${String(path.at(-1))} is ${found}, expected ${allowed}`;
  return [{ code: 'HG0606', path, text, details: { found, allowed } }];
}
