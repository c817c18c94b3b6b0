/** The simulation finds every bug that is planted in what always holds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mutants } from './mutants.js';
import { runSeeds } from './run-seeds.js';

const planted = suite('mutants');

/** Each is found within a few dozen; who needs more is as good as not found. */
const seeds = Array.from({ length: 150 }, (_, index) => index + 1);

let caught = 0;

for (const mutant of mutants) {
  planted(mutant.name, async () => {
    const options = { jobs: 1, mutant: mutant.name, isFirstEnough: true };
    const others = seeds.filter((seed) => seed !== mutant.seed);
    const { failures, count } = await runSeeds([mutant.seed, ...others], options);
    const [failure] = failures;
    assert.ok(failure, `not found in ${count} seeds`);
    assert.match(failure.problems.join('\n'), mutant.problem);
    assert.ok(seeds.includes(failure.seed), `seed ${failure.seed} is none of the first`);
    if (failure.seed !== mutant.seed) {
      console.log(`${mutant.name}: found by seed ${failure.seed}, and not by ${mutant.seed}`);
    }
    caught += 1;
  });
}

planted.after(() => console.log(`${caught} of ${mutants.length} planted mutants were caught`));

planted.run();
