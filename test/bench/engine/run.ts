/**
 * The engine, measured: how long a look takes with many rollouts in flight, from the commit that starts
 * them to the last success, and how both grow. One process, no I/O; times are processor time. Prints a table in Markdown, the one
 * in `docs/rollout-figures.md`.
 *
 *   npm run bench:engine [-- ROLLOUTS…]
 */
import { BenchFleet } from './fleet.js';

const sizes = process.argv.slice(2).map(Number);
const counts = sizes.length > 0 ? sizes : [100, 1000, 10_000];

/** A rollout that has not ended by then hangs. */
const secondsMax = 900;

/** Seconds into the first step: every rollout bakes and is judged at each look. */
const inFlightAtSecond = 30;

const headers = [
  'rollouts in flight',
  'commit to all started',
  'one look at all',
  'rollouts looked at a second',
  'a second of reports taken in',
  'whole life',
  'transitions',
  'transitions a second',
  'heap',
];
print(headers);
print(headers.map(() => '---'));
for (const count of counts) {
  print(measure(count));
}

function measure(count: number): readonly string[] {
  const fleet = new BenchFleet(count);
  const startedMs = cpuMs();
  fleet.release();
  const releasedMs = cpuMs() - startedMs;
  if (fleet.running() !== count) {
    throw new Error(`${fleet.running()} of ${count} rollouts were started`);
  }
  const lookMs: number[] = [];
  const reportMs: number[] = [];
  let seconds = 0;
  for (; fleet.running() > 0; seconds += 1) {
    if (seconds > secondsMax) {
      throw new Error(`${fleet.running()} rollouts have not ended after ${secondsMax} s`);
    }
    const isMeasured = seconds >= inFlightAtSecond && seconds < inFlightAtSecond + 20;
    const fromMs = cpuMs();
    fleet.pass();
    const passedMs = cpuMs() - fromMs;
    if (isMeasured) {
      reportMs.push(passedMs);
      const atMs = cpuMs();
      fleet.tick();
      lookMs.push(cpuMs() - atMs);
    }
  }
  const lifeMs = cpuMs() - startedMs;
  const failed = fleet.rollouts().filter(({ phase }) => phase !== 'Succeeded');
  if (failed.length > 0) {
    throw new Error(`${failed.length} rollouts ended as ${failed[0]?.phase}: ${failed[0]?.reason}`);
  }
  const look = median(lookMs);
  return [
    String(count),
    ms(releasedMs),
    ms(look),
    whole((count / look) * 1000),
    ms(median(reportMs)),
    `${(lifeMs / 1000).toFixed(1)} s of ${seconds} s`,
    String(fleet.transitions),
    whole((fleet.transitions / lifeMs) * 1000),
    `${Math.round(process.memoryUsage().heapUsed / 1e6)} MB`,
  ];
}

/** Processor time of this process: what other programs of the machine do is not in it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
