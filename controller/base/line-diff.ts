/**
 * The lines in which two texts differ, for people: the shortest script of insertions and deletions (Myers,
 * "An O(ND) Difference Algorithm and Its Variations", 1986), with a few lines around each.
 */

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  /** Empty for a gap: unchanged lines that are left out. */
  readonly text: string;
  /** From 1; of the text before for removed lines, of the one after for the others. */
  readonly line: number;
}

/** Unchanged lines shown on each side of a change. */
const contextLines = 3;

/** Texts that differ in more are shown as replaced whole: the script's cost grows with its square. */
const editsMax = 2000;

export function diffLines(before: string, after: string): readonly DiffLine[] {
  return withGaps(script(splitLines(before), splitLines(after)));
}

function splitLines(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function script(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const trail = furthestPaths(before, after);
  if (trail === undefined) {
    return [
      ...before.map((text, index) => ({ kind: 'removed', text, line: index + 1 }) as const),
      ...after.map((text, index) => ({ kind: 'added', text, line: index + 1 }) as const),
    ];
  }
  const lines: DiffLine[] = [];
  let x = before.length;
  let y = after.length;
  for (let edits = trail.length - 1; edits >= 0; edits -= 1) {
    const reached = trail[edits] ?? new Map<number, number>();
    const diagonal = x - y;
    const isDown = goesDown(reached, diagonal, edits);
    const from = isDown ? diagonal + 1 : diagonal - 1;
    const fromX = edits === 0 ? 0 : (reached.get(from) ?? 0);
    const fromY = edits === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      lines.push({ kind: 'same', text: after[y] ?? '', line: y + 1 });
    }
    if (edits > 0 && isDown) {
      y -= 1;
      lines.push({ kind: 'added', text: after[y] ?? '', line: y + 1 });
    } else if (edits > 0) {
      x -= 1;
      lines.push({ kind: 'removed', text: before[x] ?? '', line: x + 1 });
    }
  }
  return lines.reverse();
}

/**
 * For each number of edits, how far each diagonal was reached with one edit less; undefined where more
 * than `editsMax` are needed.
 */
function furthestPaths(
  before: readonly string[],
  after: readonly string[],
): readonly ReadonlyMap<number, number>[] | undefined {
  const trail: ReadonlyMap<number, number>[] = [];
  let reached: Map<number, number> = new Map();
  for (let edits = 0; edits <= Math.min(editsMax, before.length + after.length); edits += 1) {
    trail.push(reached);
    const next = new Map<number, number>();
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const isDown = goesDown(reached, diagonal, edits);
      let x = isDown ? (reached.get(diagonal + 1) ?? 0) : (reached.get(diagonal - 1) ?? 0) + 1;
      if (edits === 0) {
        x = 0;
      }
      while (
        x < before.length &&
        x - diagonal < after.length &&
        before[x] === after[x - diagonal]
      ) {
        x += 1;
      }
      next.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) {
        return trail;
      }
    }
    reached = next;
  }
  return undefined;
}

/** True where the path to `diagonal` inserts a line, and does not delete one. */
function goesDown(reached: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  if (diagonal === -edits || diagonal === edits) {
    return diagonal === -edits;
  }
  return (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1);
}

function withGaps(lines: readonly DiffLine[]): readonly DiffLine[] {
  const isNear = (index: number): boolean =>
    lines
      .slice(Math.max(0, index - contextLines), index + contextLines + 1)
      .some(({ kind }) => kind !== 'same');
  return lines.flatMap((line, index): DiffLine[] => {
    if (isNear(index)) {
      return [line];
    }
    const isFirst = index === 0 || isNear(index - 1);
    return isFirst ? [{ kind: 'gap', text: '', line: line.line }] : [];
  });
}
