/** Durations of the fields that have Go's syntax, which their schema has checked. */
import { present } from '../base/assert.js';
import { parseDuration } from '../base/duration.js';

export function goDurationMs(text: string): number {
  return present(parseDuration(text), 'duration that the schema let pass');
}
