/**
 * `npm run fuzz -- [--seconds N] [--seed N] [TARGET…]`: fuzzes each target for that long. What a target
 * fails at is saved in its corpus, so that every later run begins with it; the exit code is then 1.
 */
import { parseArgs } from 'node:util';
import { readCorpus, saveInput } from './corpus.js';
import { fuzz } from './fuzzer.js';
import { closeTargets, fuzzTargets } from './targets.js';

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
  allowPositionals: true,
});
const seed = Number(values.seed);
const lastsMs = Number(values.seconds) * 1000;
let failed = 0;
for (const target of fuzzTargets) {
  if (positionals.length > 0 && !positionals.includes(target.name)) {
    continue;
  }
  const endMs = performance.now() + lastsMs;
  const { cases, slowestMs, failure } = await fuzz(target, readCorpus(target.name), {
    seed,
    isDone: () => performance.now() > endMs,
  });
  const slowest = `slowest ${Math.round(slowestMs)} ms`;
  console.log(`${target.name}: ${cases} cases, ${slowest}, seed ${seed}`);
  if (failure !== undefined) {
    failed += 1;
    console.log(
      `  failed: ${String(failure.error)}\n  saved: ${saveInput(target.name, failure.input)}`,
    );
  }
}
await closeTargets();
process.exitCode = failed > 0 ? 1 : 0;
