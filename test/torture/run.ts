/**
 * `npm run torture`: runs every test that covers an entry of the list and writes `docs/torture.md`: what
 * was done, what is expected, what came of it, and the figures that the tests printed. Its exit code is 1
 * where any of them failed. Arguments choose entries by the beginning of their numbers (`npm run torture --
 * D E0`); of the others, and of those that an interruption left out, the page keeps what it had.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectPath } from '../support/project.js';
import { type FileResult, runFiles } from '../support/run-files.js';
import { tortureEntries } from './entries.js';
import { numberedTests, readTestSources, type TortureEntry, testsOf } from './entry.js';
import { readPage, renderPage, type TortureOutcome } from './page.js';

/** On a machine with nothing else to do the longest file takes two minutes. */
const fileTimeoutMs = 900_000;

/** Those with real Envoys, databases and a thousand seeds come last: an interrupted run has most of it. */
const slow = ['git/', 'envoy/', 'xds/envoy', 'replicas/', 'sim/', 'repositories/', 'dashboard/'];

const compiled = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2);
const entries = tortureEntries.filter(
  ({ number }) => wanted.length === 0 || wanted.some((start) => number.startsWith(start)),
);
const numbered = numberedTests(readTestSources(projectPath('test')));
const files = [
  ...new Set(entries.flatMap((entry) => testsOf(entry, numbered).map(({ file }) => file))),
].sort((left, right) => rankOf(left) - rankOf(right) || (left < right ? -1 : 1));
const stop = new AbortController();
const startedMs = performance.now();
process.once('SIGINT', () => stop.abort());

const finished = new Set<string>();
const results = await runFiles(
  files.map((file) => join(compiled, `${file}.test.js`)),
  {
    timeoutMs: fileTimeoutMs,
    jobs: 2,
    signal: stop.signal,
    onResult: ({ path, failed }) => {
      if (!stop.signal.aborted) {
        finished.add(path);
        console.log(`${failed === 0 ? 'ok  ' : 'FAIL'}  ${fileOf(path)}`);
      }
    },
  },
);
// Of an interrupted run the files that were cut off said nothing.
const ended = results.filter(({ path }) => finished.has(path));
const byFile = new Map(ended.map((result) => [fileOf(result.path), result]));
const path = projectPath('docs/torture.md');
const kept = readPage(readFileSync(path, 'utf8'));
const outcomes = entries.map(outcomeOf);
const fresh = new Map(
  outcomes.filter(({ verdict }) => verdict !== 'not run').map((one) => [one.entry.number, one]),
);
const page = tortureEntries.map(
  (entry): TortureOutcome =>
    fresh.get(entry.number) ?? {
      entry,
      tests: testsOf(entry, numbered),
      ...(kept.get(entry.number) ?? { verdict: 'not run', figures: [] }),
    },
);
writeFileSync(path, renderPage(page));
for (const { entry, verdict } of outcomes.filter((one) => one.verdict.startsWith('failed'))) {
  console.log(`${entry.number} ${verdict}`);
}
const failed = outcomes.filter(({ verdict }) => verdict.startsWith('failed')).length;
const minutes = Math.round((performance.now() - startedMs) / 6_000) / 10;
console.log(`\n${minutes} minutes\n${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 || stop.signal.aborted ? 1 : 0;

function rankOf(file: string): number {
  return slow.findIndex((start) => file.startsWith(start));
}

function fileOf(path: string): string {
  return path.slice(compiled.length + 1, -'.test.js'.length);
}

function outcomeOf(entry: TortureEntry): TortureOutcome {
  const tests = testsOf(entry, numbered);
  const ran = tests.flatMap(({ file }) => byFile.get(file) ?? []);
  const bad = tests.filter(({ file, name }) => hasFailed(byFile.get(file), name));
  const isRun = tests.every(({ file }) => byFile.has(file));
  const figures = [...new Set(ran)].flatMap(({ output }) => figuresIn(output, entry.number));
  return {
    entry,
    tests,
    verdict: isRun ? verdictOf(tests.length, bad.length) : 'not run',
    figures,
  };
}

/** A file whose end was not that of its tests has failed as a whole. */
function hasFailed(result: FileResult | undefined, name: string): boolean {
  if (result === undefined || result.reason !== undefined) {
    return true;
  }
  // Names with a part that is filled in cannot be told apart in what was printed.
  const isOwn = /[{}()]/.test(name) || result.output.includes(name);
  return result.failed > 0 && isOwn;
}

function verdictOf(tests: number, bad: number): string {
  if (tests === 0) {
    return 'not tested';
  }
  return bad === 0 ? 'as expected' : `failed: ${bad} of ${tests} tests`;
}

/** What a test printed as `figures A07 {…}`. */
function figuresIn(output: string, number: string): readonly string[] {
  return [...output.matchAll(/^\s*figures ([A-G]\d\d) (\{.*\})$/gm)].flatMap(([, of, json = '']) =>
    of === number
      ? Object.entries(JSON.parse(json) as Record<string, unknown>).map(
          ([key, value]) => `${key} ${String(value)}`,
        )
      : [],
  );
}
