/** What an entry of the list of faults is, and how tests are found that cover it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TortureEntry {
  /** A letter for the kind of fault and two digits: A01. */
  readonly number: string;
  readonly fault: string;
  readonly expected: string;
  /** Tests that cover it, besides those that have its number in their names. */
  readonly tests: readonly TestReference[];
  /** Why it is not covered, or not as a whole. */
  readonly why?: string;
}

export interface TestReference {
  /** Path below `test/`, without its ending. */
  readonly file: string;
  /** Part of the test's name, as it stands in the file. */
  readonly name: string;
}

/** Suites whose numbers are those of a protocol's probe, as are all with a statement's number behind them. */
const foreignNumbers = new Set([
  'xds/delta',
  'xds/sotw',
  'xds/statements',
  'xds-target/outside-delta',
  'xds-target/outside-sotw',
]);

/** The source of every test file, by its path below `test/` without its ending. */
export function readTestSources(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    files
      .filter((path) => path.endsWith('.test.ts'))
      .sort()
      .map((path) => [path.slice(0, -'.test.ts'.length), readFileSync(join(folder, path), 'utf8')]),
  );
}

/** Tests whose names begin with a number of the list, as `D13 five replicas …` and `C23: a proxy …`. */
export function numberedTests(
  sources: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly TestReference[]> {
  const found = new Map<string, TestReference[]>();
  for (const [file, source] of sources) {
    for (const [, , name = ''] of source.matchAll(/(['"`])([A-G]\d\d[ :,][^'"`\n]+)\1/g)) {
      const isOther = foreignNumbers.has(file) || /^[^(]{3,20} \(\d/.test(name);
      const numbers = /^[A-G]\d\d(?:, [A-G]\d\d)*/.exec(name)?.[0].split(', ') ?? [];
      for (const number of isOther ? [] : numbers) {
        found.set(number, [...(found.get(number) ?? []), { file, name }]);
      }
    }
  }
  return found;
}

/** All tests of `entry`. */
export function testsOf(
  entry: TortureEntry,
  numbered: ReadonlyMap<string, readonly TestReference[]>,
): readonly TestReference[] {
  return [...entry.tests, ...(numbered.get(entry.number) ?? [])];
}
