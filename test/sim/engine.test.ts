/**
 * Seeded simulations of the whole engine. `HEADGATE_SEEDS=N` runs more of them, `HEADGATE_SEED=n` one
 * again and tells its story.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Simulation } from './simulation.js';

const simulations = suite('engine simulation');

const seedCount = Number(process.env.HEADGATE_SEEDS ?? 300);
const onlySeed = process.env.HEADGATE_SEED;
const seeds =
  onlySeed === undefined
    ? Array.from({ length: seedCount }, (_, index) => index + 1)
    : [Number(onlySeed)];

/** Long enough for several commits, crashes and rollouts that end. */
const eventsPerSeed = 120;

simulations('what always holds holds, whatever happens', async () => {
  for (const seed of seeds) {
    const simulation = new Simulation(seed);
    const problems = await simulation.run(eventsPerSeed);
    if (problems.length > 0 || onlySeed !== undefined) {
      console.log(simulation.log.join('\n'));
    }
    assert.is(problems.join('\n'), '', `replay with HEADGATE_SEED=${seed}`);
  }
});

simulations.run();
