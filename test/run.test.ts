/** The runner itself: no way of failing or of running nothing may look like success. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileResult, judge, runFiles } from './support/run-files.js';

const test = suite<{ folder: string }>('the test runner');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-run-'));
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

test('a file whose tests pass is counted', async ({ folder }) => {
  const [result] = await run(folder, "test('a', () => {}); test('b', () => {}); test.run();");
  assert.is(result?.passed, 2);
  assert.is(result?.failed, 0, result?.output);
});

test('failed tests are counted and their text is kept', async ({ folder }) => {
  const body =
    "test('a', () => {}); test('b', () => { throw new Error('told you'); }); test.run();";
  const [result] = await run(folder, body);
  assert.is(result?.passed, 1);
  assert.is(result?.failed, 1);
  assert.match(result?.output ?? '', 'told you');
});

const broken: readonly (readonly [string, string, string])[] = [
  ['runs no test', "test('a', () => {});", 'ran no test'],
  ['has an empty suite', 'test.run();', 'ran no test'],
  ['leaves tests out', "test.only('a', () => {}); test('b', () => {}); test.run();", 'left out'],
  [
    'has a hook that throws',
    "test.before(() => { throw new Error('x'); }); test('a', () => {}); test.run();",
    'a hook threw',
  ],
  ['cannot be loaded', 'nonsense(', 'exit code 1'],
  ['throws outside a test', "throw new Error('x');", 'exit code 1'],
  ['ends in a test', "test('a', () => process.exit(0)); test.run();", 'exit code 1'],
  ['waits for nothing', "test('a', () => new Promise(() => {})); test.run();", 'exit code 1'],
  ['never ends', "test('a', () => {}); test.run(); setInterval(() => {}, 1000);", 'did not end'],
];

for (const [what, body, reason] of broken) {
  test(`a file that ${what} fails`, async ({ folder }) => {
    const [result] = await run(folder, body, reason === 'did not end' ? 2_000 : 60_000);
    assert.is(result?.failed, 1, result?.output);
    assert.match(result?.reason ?? '', reason);
  });
}

test('a process that a test leaves behind is ended and delays nothing', async ({ folder }) => {
  const body = `
    import { spawn } from 'node:child_process';
    const forever = 'setInterval(() => {}, 1000)';
    test('a', () => spawn(process.execPath, ['-e', forever], { stdio: 'inherit' }).unref());
    test.run();`;
  // It holds the output open, so the run cannot end before it has.
  const [result] = await run(folder, body);
  assert.is(result?.failed, 0, result?.output);
});

test('a patient file and all that it starts leave processors to others', async ({ folder }) => {
  const body = `
    import { execFileSync } from 'node:child_process';
    import { getPriority } from 'node:os';
    test('a', () => {
      const ask = "process.stdout.write(String(os.getPriority()))";
      console.log('at', getPriority(), execFileSync(process.execPath, ['-e', ask], { encoding: 'utf8' }));
    });
    test.run();`;
  const [patient] = await run(folder, body, 60_000, true);
  assert.match(patient?.output ?? '', /at 19 19\n/);
  const [prompt] = await run(folder, body);
  const own = getPriority();
  assert.match(prompt?.output ?? '', `at ${own} ${own}\n`);
});

test('an abort kills what runs and starts nothing more', async ({ folder }) => {
  const stop = new AbortController();
  const path = write(folder, 'hang', "setInterval(() => {}, 1000); console.log('up');");
  const results = runFiles([path, path], {
    timeoutMs: 60_000,
    jobs: 1,
    signal: stop.signal,
    onResult: () => {},
  });
  stop.abort();
  assert.is((await results).length, 1);
});

test('the counts of several closing blocks add up', () => {
  const block = '\n  Total:     3\n  Passed:    2\n  Skipped:   0\n  Duration:  1ms\n';
  assert.equal(judge(block + block, 'exit code 1'), { passed: 4, failed: 2 });
});

test('a crash after the tests have passed is a failure', () => {
  const block = '\n  Total:     3\n  Passed:    3\n  Skipped:   0\n  Duration:  1ms\n';
  assert.equal(judge(block, 'exit code 7'), { passed: 3, failed: 1, reason: 'exit code 7' });
  assert.equal(judge(block, 'exit code null'), { passed: 3, failed: 1, reason: 'exit code null' });
});

test.run();

function write(folder: string, name: string, body: string): string {
  const path = join(folder, `${name}.mjs`);
  const uvu = createRequire(import.meta.url)
    .resolve('uvu')
    .replace(/index\.js$/, 'index.mjs');
  writeFileSync(path, `import { test } from ${JSON.stringify(uvu)};\n${body}\n`);
  return path;
}

function run(
  folder: string,
  body: string,
  timeoutMs = 60_000,
  isPatient = false,
): Promise<readonly FileResult[]> {
  const path = write(folder, 'case', body);
  const { signal } = new AbortController();
  return runFiles([path], { timeoutMs, jobs: 1, isPatient, signal, onResult: () => {} });
}
