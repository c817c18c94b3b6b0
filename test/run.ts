/**
 * The test runner: `node dist/test/run.js [PART-OF-A-PATH…]` runs the compiled test files whose path
 * contains one of the arguments, or all. A file that passes is one line; of one that fails everything it
 * printed is shown. The last line is `N passed, N failed`.
 *
 * Where `CI` is set, a few files that failed are run a second time, each alone: most of them drive real
 * programs against real deadlines, and the machine may have been busy. What passes only then is named.
 */
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileResult, runFiles } from './support/run-files.js';

/** The longest file, the simulation in CI, takes five minutes or so; a loaded machine takes several times that. */
const fileTimeoutMs = 1_800_000;

/** Tests with real Envoys and deadlines of seconds want a processor of their own. */
const jobs = 2;

const repeatsMax = 3;

/** Nothing of these has a deadline: they run beside the others, which wait as often as they work. */
const patient = 'sim/';

/** Started first, so that the end of a run does not wait for one of them alone. */
const slowFirst = [
  'sim/engine',
  'replicas/',
  'envoy/main-loop',
  'demo/page',
  'git/',
  'envoy/',
  'cli/',
  'store/',
];

const root = dirname(fileURLToPath(import.meta.url));
const parts = process.argv.slice(2);
const files = findTests(parts);
if (files.length === 0) {
  console.error(`no test file matches ${parts.join(' ') || 'dist/test/**/*.test.js'}`);
  process.exit(1);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort());
}
const options = {
  timeoutMs: fileTimeoutMs,
  jobs,
  signal: stop.signal,
  onResult: (result: FileResult) => console.log(renderResult(result)),
};
const isPatient = (path: string): boolean => nameOf(path).startsWith(patient);
const prompt = files.filter((path) => !isPatient(path));
const [first, others] = await Promise.all([
  runFiles(prompt, options),
  runFiles(files.filter(isPatient), { ...options, jobs: 1, isPatient: prompt.length > 0 }),
]);
const results = [...first, ...others];
const repeated = process.env.CI === undefined ? [] : await repeat(results);
const final = results.map((result) => repeated.find(({ path }) => path === result.path) ?? result);
const failures = final.filter((result) => result.failed > 0);
const unsteady = repeated.filter((result) => result.failed === 0);
if (unsteady.length > 0) {
  console.log(`\npassed only when run again, alone:\n${listOf(unsteady)}`);
}
if (failures.length > 0) {
  console.log(`\nfailed:\n${listOf(failures)}`);
}
if (stop.signal.aborted) {
  console.log('\nstopped before the end');
}
const total = (key: 'passed' | 'failed') => final.reduce((count, result) => count + result[key], 0);
console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
process.exitCode = failures.length > 0 || stop.signal.aborted ? 1 : 0;

/** The second results of files that failed; none where so many did that the machine is not to blame. */
async function repeat(first: readonly FileResult[]): Promise<readonly FileResult[]> {
  const failed = first.filter((result) => result.failed > 0);
  const paths = failed.length > repeatsMax ? [] : failed.map((result) => result.path);
  return runFiles(paths, { ...options, jobs: 1 });
}

function findTests(wanted: readonly string[]): readonly string[] {
  const rankOf = (name: string): number => {
    const rank = slowFirst.findIndex((start) => name.startsWith(start));
    return rank < 0 ? slowFirst.length : rank;
  };
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort((left, right) => rankOf(left) - rankOf(right) || (left < right ? -1 : 1))
    .map((name) => join(root, name));
}

function listOf(some: readonly FileResult[]): string {
  return some.map(({ path }) => `  ${nameOf(path)}`).join('\n');
}

function nameOf(path: string): string {
  return relative(root, path).replace(/\.js$/, '.ts');
}

function renderResult(result: FileResult): string {
  const seconds = renderSeconds(result);
  if (result.failed === 0) {
    return `ok    ${nameOf(result.path)} (${result.passed} tests, ${seconds})`;
  }
  const reason = result.reason === undefined ? '' : `: ${result.reason}`;
  return `FAIL  ${nameOf(result.path)} (${seconds})${reason}\n${result.output}`;
}

/** `12.3s`, and of how many of them a processor was at work: what waits can wait beside others. */
function renderSeconds({ durationMs, processorMs }: FileResult): string {
  const inSeconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)}s`;
  const worked = processorMs === undefined ? '' : `, ${inSeconds(processorMs)} of processor`;
  return `${inSeconds(durationMs)}${worked}`;
}
