/** The list of faults: nothing on it is without a test or a reason, and every test that it names is there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';
import { tortureEntries } from './entries.js';
import { numberedTests, readTestSources, testsOf } from './entry.js';
import { readPage, renderPage } from './page.js';

const registry = suite('torture list');

const sources = readTestSources(projectPath('test'));
const numbered = numberedTests(sources);

registry('has every number once, in order', () => {
  const lengths = { A: 28, B: 24, C: 29, D: 21, E: 13, F: 8, G: 11 };
  const numbers = Object.entries(lengths).flatMap(([letter, length]) =>
    Array.from({ length }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`),
  );
  assert.equal(
    tortureEntries.map(({ number }) => number),
    numbers,
  );
});

registry('each entry has a test, or a line that says why it has none', () => {
  const bare = tortureEntries.filter(
    (entry) => testsOf(entry, numbered).length === 0 && entry.why === undefined,
  );
  assert.equal(
    bare.map(({ number }) => number),
    [],
  );
});

registry('each test that an entry names is in its file', () => {
  const missing = tortureEntries.flatMap(({ number, tests }) =>
    tests
      .filter(({ file, name }) => sources.get(file)?.includes(name) !== true)
      .map(({ file, name }) => `${number}: ${file} has no test “${name}”`),
  );
  assert.equal(missing, []);
});

registry('a number in the name of a test is one of the list', () => {
  const known = new Set(tortureEntries.map(({ number }) => number));
  assert.equal(
    [...numbered.keys()].filter((number) => !known.has(number)),
    [],
  );
});

registry('what was last measured is in the documentation, of this list', async () => {
  const { readFileSync } = await import('node:fs');
  const page = readFileSync(projectPath('docs/torture.md'), 'utf8');
  for (const { number, fault } of tortureEntries) {
    assert.ok(
      page.includes(`| ${number} | ${fault} |`),
      `docs/torture.md has ${number} as it is now`,
    );
  }
});

registry('a page that is read again says the same', () => {
  const outcomes = tortureEntries.map((entry, index) => ({
    entry,
    tests: testsOf(entry, numbered),
    verdict: ['as expected', 'not tested', 'not run', 'failed: 1 of 3 tests'][index % 4] ?? '',
    figures: index % 2 === 0 ? [] : ['ms 4', 'peak MiB 41'],
  }));
  const page = renderPage(outcomes);
  const kept = readPage(page);
  const again = outcomes.map((one) => ({ ...one, ...kept.get(one.entry.number) }));
  assert.is(renderPage(again), page);
});

registry.run();
