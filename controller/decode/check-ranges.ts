/** Ranges of header values in which no number is: their end is not part of them. */
import type * as yaml from '../generated/schema-types.js';
import type { FieldPath } from '../mesh/document.js';
import type { Finding } from './finding.js';

/** `headers` stand at `path`; `subject` begins the text of each finding. */
export function checkRanges(
  subject: string,
  headers: readonly yaml.HeaderMatch[] | undefined,
  path: FieldPath,
): readonly Finding[] {
  return (headers ?? []).flatMap(({ name, match }, index): readonly Finding[] => {
    const range = match?.range;
    if (range === undefined || range.start < range.end) {
      return [];
    }
    const found = `${range.start} to ${range.end}`;
    const text =
      `${subject}the range ${found} of header ${name} has no number in it, since its end ` +
      'is not part of it; raise the end';
    return [{ code: 'HG0510', path: [...path, index, 'match', 'range'], text, details: { found } }];
  });
}
