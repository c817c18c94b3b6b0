/**
 * `npm run sim -- [--seeds N] [--from N] [--seed N]`: more seeds than the tests run, or one of them again
 * with its story. A seed that fails is told with as few of its events as still fail.
 */
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runSeeds } from './run-seeds.js';
import { type Story, shrinkStory, tellStory } from './story.js';

/** The story of `failure`, as short as it can be made, and how to hear it again. */
export async function renderFailure(failure: Story): Promise<string> {
  const { seed, log, events, problems } = await shrinkStory(failure);
  const title = `seed ${seed} fails with ${events.length} of its ${failure.events.length} events:`;
  return [title, ...log, ...problems.map((problem) => `! ${problem}`)].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
    },
  });
  if (values.seed !== undefined) {
    const story = await tellStory(Number(values.seed));
    const hasFailed = story.problems.length > 0;
    console.log(hasFailed ? await renderFailure(story) : story.log.join('\n'));
    process.exitCode = hasFailed ? 1 : 0;
    return;
  }
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => Number(values.from) + at);
  const startedMs = performance.now();
  const options = { jobs: availableParallelism(), isFirstEnough: false };
  const { failures, count } = await runSeeds(seeds, options);
  for (const failure of failures.slice(0, 1)) {
    console.log(await renderFailure(failure));
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const failed = failures.map(({ seed }) => seed).join(', ');
  console.log(
    `${count} seeds in ${seconds} s, ${failures.length} failed${failed && `: ${failed}`}`,
  );
  process.exitCode = failures.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main();
}
