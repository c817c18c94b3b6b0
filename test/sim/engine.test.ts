/** The whole engine, simulated: 1,000 seeds in CI, a hundred elsewhere. More of them, or one again: `npm run sim`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderFailure } from './run.js';
import { runSeeds } from './run-seeds.js';

const simulations = suite('engine simulation');

const seedCount = process.env.CI === undefined ? 100 : 1000;
const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);

simulations('what always holds holds, whatever happens', async () => {
  const { failures, count } = await runSeeds(seeds, { jobs: 2, isFirstEnough: true });
  const [failure] = failures;
  if (failure !== undefined) {
    console.log(await renderFailure(failure));
  }
  assert.is(
    failure?.problems.join('\n') ?? '',
    '',
    `replay with npm run sim -- --seed ${failure?.seed}`,
  );
  assert.is(count, seeds.length);
});

simulations.run();
