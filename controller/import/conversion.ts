/** What the conversion of one definition's fields needs to know, and how it says what became of them. */
import type { FieldPath } from '../mesh/document.js';
import type { Definition } from './definition.js';
import type { Names } from './names.js';
import type { Report } from './report.js';
import type { SourceNode } from './source.js';

export interface Conversion {
  readonly definition: Definition;
  /** `VirtualRouter orders`: what the fields become part of. */
  readonly subject: string;
  readonly names: Names;
  readonly report: Report;
}

/** Where a value stands in the input, and where it is to stand. */
export interface Spot {
  readonly from: FieldPath;
  readonly to: FieldPath;
}

/**
 * What is to be said of a value that a template's expression became. Values that are missing are losses of
 * the import as a whole: each has its own line there, and not one for every use.
 */
export function resolution(node: SourceNode): {
  readonly reason: string;
  readonly isMissing: boolean;
} {
  const { resolved } = node;
  if (resolved === undefined) {
    return { reason: '', isMissing: false };
  }
  const names = resolved.standIns;
  const flags = names.map((name) => `--parameter ${name}=…`).join(' ');
  return names.length === 0
    ? { reason: `from ${resolved.expression}`, isMissing: false }
    : {
        reason: `from ${resolved.expression}, of which a value is missing: give ${flags}`,
        isMissing: true,
      };
}

export function drop(
  node: SourceNode,
  spot: Pick<Spot, 'from'>,
  conversion: Pick<Conversion, 'report' | 'subject'>,
  reason: string,
  isLoss = false,
): void {
  const { report, subject } = conversion;
  report.addLeaves(node, spot.from, { outcome: 'dropped', resource: subject, reason, isLoss });
}
