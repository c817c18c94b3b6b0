/** A little fuzzing in each run: every saved input, and mutations by a seed that is always the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCorpus } from './corpus.js';
import { fuzz } from './fuzzer.js';
import { closeTargets, fuzzTargets } from './targets.js';

const fuzzing = suite('fuzzing');

const seed = 20_261_129;

/** Cases of CI; a case of the hooks is four requests, one of the streams thirty of those. */
const mutations: Readonly<Record<string, number>> = {
  loader: 200,
  importer: 100,
  hooks: 50,
};

for (const target of fuzzTargets) {
  fuzzing(`A28 ${target.name}: saved inputs and their mutations do no harm`, async () => {
    const corpus = readCorpus(target.name);
    assert.ok(corpus.length > 0, 'there are saved inputs');
    const enough = mutations[target.name] ?? 1000;
    const { cases, slowestMs, failure } = await fuzz(target, corpus, {
      seed,
      isDone: (count) => count >= enough,
    });
    const shown = failure && Buffer.from(failure.input).toString('base64').slice(0, 2000);
    assert.is(failure?.error, undefined, `${String(failure?.error)}: ${shown}`);
    assert.ok(cases > enough);
    const figures = { [`${target.name} cases`]: cases, 'slowest ms': Math.round(slowestMs) };
    process.stdout.write(`  figures A28 ${JSON.stringify(figures)}\n`);
  });
}

fuzzing.after(closeTargets);

fuzzing.run();
