/** The page of what came of every fault on the list. */
import type { TestReference, TortureEntry } from './entry.js';

export interface TortureOutcome {
  readonly entry: TortureEntry;
  readonly tests: readonly TestReference[];
  /** `as expected`, `not tested`, or what failed. */
  readonly verdict: string;
  /** `peak MiB 41`. */
  readonly figures: readonly string[];
}

const sections: Readonly<Record<string, string>> = {
  A: 'Bad mesh files',
  B: 'Git',
  C: 'xDS',
  D: 'The process and its state',
  E: 'Gates',
  F: 'Notifications',
  G: 'The API',
};

export function renderPage(outcomes: readonly TortureOutcome[]): string {
  const count = (verdict: string) => outcomes.filter((one) => one.verdict === verdict).length;
  const failed = outcomes.filter(({ verdict }) => verdict.startsWith('failed')).length;
  const head = [
    '# Faults and abuses',
    '',
    'Made by `npm run torture`, which runs the tests named here; CI runs them too. A fault is covered by the',
    'tests that carry its number in their names, and by those that `test/torture/entries.ts` names.',
    '',
    `${outcomes.length} entries: ${count('as expected')} as expected, ${count('not tested')} not tested ` +
      `and said why, ${count('not run')} not run, ${failed} failed.`,
  ];
  const parts = Object.entries(sections).flatMap(([letter, title]) => [
    '',
    `## ${title}`,
    '',
    '| number | fault | expected | outcome | figures | tests |',
    '| --- | --- | --- | --- | --- | --- |',
    ...outcomes.filter(({ entry }) => entry.number.startsWith(letter)).map(renderRow),
  ]);
  return `${[...head, ...parts].join('\n')}\n`;
}

function renderRow({ entry, tests, verdict, figures }: TortureOutcome): string {
  const { number, fault, expected, why } = entry;
  const outcome = why === undefined ? verdict : `${verdict}. ${why}`;
  const files = [...new Set(tests.map(({ file }) => `\`${file}\``))].join(', ');
  return `| ${[number, fault, expected, outcome, figures.join(', '), files].join(' | ')} |`;
}

/** The outcome and the figures of each row of a page that `renderPage` made, by the entry's number. */
export function readPage(
  text: string,
): ReadonlyMap<string, Pick<TortureOutcome, 'verdict' | 'figures'>> {
  const rows = [...text.matchAll(/^\| ([A-G]\d\d) \| (.*) \|$/gm)];
  return new Map(
    rows.map(([, number = '', rest = '']) => {
      const [, , outcome = '', figures = ''] = rest.split(' | ');
      const [verdict = 'not run'] =
        /^(as expected|not tested|not run|failed: \d+ of \d+ tests)/.exec(outcome) ?? [];
      return [number, { verdict, figures: figures === '' ? [] : [figures] }];
    }),
  );
}
