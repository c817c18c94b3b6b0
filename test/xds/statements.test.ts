/** The table of statements is true: each file that it names has a test that names the statement. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';

const table = readFileSync(projectPath('test/xds/STATEMENTS.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, numbers, , files] = line.split('|').map((cell) => cell.trim());
    return /^[SD]?\d/.test(numbers ?? '')
      ? [{ numbers: numbers?.split(', ') ?? [], files: files?.split(', ') ?? [] }]
      : [];
  });

/** Of a file beside this one, or of `folder/name` where it is elsewhere. */
function sourceOf(name: string): string {
  const path = projectPath(`test/${name.includes('/') ? name : `xds/${name}`}.test.ts`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The text of all tests of a folder but this. */
function sourcesIn(folder: string): string {
  return readdirSync(projectPath(`test/${folder}`))
    .filter((name) => name.endsWith('.test.ts') && name !== 'statements.test.ts')
    .map((name) => readFileSync(projectPath(`test/${folder}/${name}`), 'utf8'))
    .join('\n');
}

/** The numbers in the names of a file's tests; `24–26` is all three. */
function numbersIn(name: string): ReadonlySet<string> {
  const numbers = new Set<string>();
  const wide = /(\d+)–(\d+)/g;
  const source = sourceOf(name);
  for (const [, from, to] of source.matchAll(wide)) {
    for (let number = Number(from); number <= Number(to); number += 1) {
      numbers.add(`${number}`);
    }
  }
  for (const [number] of source.matchAll(/\b[SD]?\d+\b(?=[:,)–]| \(|\s*:)/g)) {
    numbers.add(number);
  }
  return numbers;
}

test('every file that the table names has a test with one of its numbers in its name', () => {
  for (const { numbers, files } of table) {
    for (const file of files) {
      const found = numbersIn(file);
      assert.ok(
        numbers.some((number) => found.has(number)),
        `${file}.test.ts has no test of ${numbers.join(', ')}`,
      );
    }
  }
});

test('every number that the table names is that of a test in one of the files beside it', () => {
  for (const { numbers, files } of table) {
    const found = new Set(files.flatMap((file) => [...numbersIn(file)]));
    for (const number of numbers) {
      assert.ok(found.has(number), `no test of ${number} in ${files.join(', ')}`);
    }
  }
});

test('every statement of the probe, S01 to S22 and D01 to D23, has a test, and one from outside', () => {
  const sources = sourcesIn('xds');
  const outside = sourcesIn('xds-target');
  const listed = new Set(table.flatMap(({ numbers }) => numbers));
  for (const [letter, count] of [
    ['S', 22],
    ['D', 23],
  ] as const) {
    for (let number = 1; number <= count; number += 1) {
      const label = `${letter}${String(number).padStart(2, '0')}`;
      const name = new RegExp(`['\`].{0,60}\\b${label}\\b.{0,20}:`);
      assert.match(sources, name, `${label} has no test`);
      assert.match(outside, name, `${label} has no test from outside`);
      assert.ok(listed.has(label), `${label} is not in the table`);
    }
  }
});

test.run();
