/** Runs seeds in several processes at once, of the program as it is or with one mutant in it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { allEvents, type Story } from './story.js';

export interface SeedRun {
  /** Failed ones, in the order in which they failed. */
  readonly failures: readonly Story[];
  /** How many seeds were run. */
  readonly count: number;
}

export interface SeedOptions {
  readonly jobs: number;
  /** The name of a mutant that the processes are to have. */
  readonly mutant?: string;
  /** True: no seed is begun once one has failed. */
  readonly isFirstEnough: boolean;
}

const seedProcess = fileURLToPath(new URL('./seed-process.js', import.meta.url));
/** States live from one event to the next: with more room for the young far less of them is copied. */
const youngSpace = ['--max-semi-space-size=64'];
/** Who runs a few seeds only is done before what V8 compiles for speed has paid. */
const shortLived = '--no-opt';
const mutantLoader = new URL('./mutant-loader.js', import.meta.url).href;

/** Processes live no longer than the call. */
export async function runSeeds(
  seeds: readonly number[],
  { jobs, mutant, isFirstEnough }: SeedOptions,
): Promise<SeedRun> {
  const waiting = [...seeds];
  const failures: Story[] = [];
  let count = 0;
  const start = () =>
    fork(seedProcess, [], {
      execArgv: [
        ...youngSpace,
        ...(mutant === undefined ? [] : [shortLived, '--import', mutantLoader]),
      ],
      env: { ...process.env, HEADGATE_MUTANT: mutant },
      serialization: 'advanced',
    });
  const work = async (): Promise<void> => {
    let child = start();
    try {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const story = await runIn(child, seed);
        count += 1;
        if (story.problems.length > 0) {
          failures.push(story);
        }
        if (isFirstEnough && failures.length > 0) {
          return;
        }
        const isThere = child.exitCode === null && child.signalCode === null;
        child = isThere ? child : start();
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { failures, count };
}

async function runIn(child: ChildProcess, seed: number): Promise<Story> {
  const ended = new AbortController();
  const options = { signal: ended.signal };
  try {
    child.send(seed);
    return await Promise.race([
      once(child, 'message', options).then(([story]) => story as Story),
      // What throws inside the loop ends the process, as it would end the controller.
      once(child, 'exit', options).then(([code]): Story => {
        const problems = [`the process of seed ${seed} ended with ${code}`];
        return { seed, problems, log: [], events: allEvents() };
      }),
    ]);
  } finally {
    ended.abort();
  }
}
