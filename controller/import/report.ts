/**
 * What became of each part of the input. Nothing that was read is dropped in silence: every value of a
 * definition has an entry here, and so has whatever stands in the result without having stood in the
 * input.
 */

import { quoteValue } from '../decode/quote.js';
import { type FieldPath, renderPath } from '../mesh/document.js';
import type { Place, SourceNode } from './source.js';
import { leavesOf } from './source.js';

export type Outcome =
  /** Means in Headgate what it meant in App Mesh. */
  | 'carried'
  /** Written in another way; the reason says how. */
  | 'changed'
  /** Not in the input: the importer had to write it. */
  | 'defaulted'
  /** Not in the result. */
  | 'dropped'
  /** A whole document or resource that is none of App Mesh's. */
  | 'skipped';

export interface ReportEntry {
  readonly outcome: Outcome;
  readonly place: Place;
  /** `VirtualNode orders`; empty for what belongs to none. */
  readonly resource: string;
  /** In the input; empty for what was not there. */
  readonly from: string;
  /** In the result; empty for what is not there. */
  readonly to: string;
  /** Shortened, and without secrets; empty where there is none to show. */
  readonly value: string;
  readonly reason: string;
  /** Somebody has to look: the mesh would behave otherwise, or something is left to do. */
  readonly isLoss: boolean;
}

/** The entries of one import, in the order in which they were found. */
export class Report {
  readonly entries: ReportEntry[] = [];

  add(entry: Omit<ReportEntry, 'from' | 'to' | 'value' | 'reason' | 'isLoss'> & Details): void {
    const { from = [], to = [], value, reason = '', isLoss = false, ...rest } = entry;
    // What App Mesh calls a private key is the path of one; of other fields nobody knows.
    const isKept = rest.outcome === 'carried' || rest.outcome === 'changed';
    this.entries.push({
      ...rest,
      from: renderPath(from),
      to: renderPath(to),
      value: value === undefined ? '' : quoteValue(value, isKept ? '' : String(from.at(-1) ?? '')),
      reason,
      isLoss,
    });
  }

  /** The same for each value below `node`, which stands at `from`. */
  addLeaves(node: SourceNode, from: FieldPath, entry: LeavesEntry): void {
    for (const leaf of leavesOf(node)) {
      const value = leaf.node.kind === 'scalar' ? leaf.node.value : undefined;
      this.add({ ...entry, place: leaf.node.place, from: [...from, ...leaf.path], value });
    }
  }
}

interface Details {
  readonly from?: FieldPath;
  readonly to?: FieldPath;
  readonly value?: unknown;
  readonly reason?: string;
  readonly isLoss?: boolean;
}

export interface LeavesEntry {
  readonly outcome: Outcome;
  readonly resource: string;
  readonly to?: FieldPath;
  readonly reason?: string;
  readonly isLoss?: boolean;
}

/** `entries` by the resource that they are about, each group in their order. */
export function byResource(
  entries: readonly ReportEntry[],
): ReadonlyMap<string, readonly ReportEntry[]> {
  const groups = new Map<string, ReportEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.resource) ?? [];
    group.push(entry);
    groups.set(entry.resource, group);
  }
  return groups;
}
