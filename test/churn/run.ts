/**
 * `npm run churn -- [--minutes 3] [--seed 1]`: real Envoys under load while the mesh changes at random.
 * Prints what was changed and called; ends with 1 where a call was lost.
 */
import { parseArgs } from 'node:util';
import { churn } from './churn.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
  },
});
const startedMs = performance.now();
const lastsMs = Number(values.minutes) * 60_000;
const { lost, ...counts } = await churn({
  seed: Number(values.seed),
  isOver: () => performance.now() - startedMs > lastsMs,
});
console.log(JSON.stringify({ seed: Number(values.seed), ...counts, lost: lost.length }));
for (const line of lost.slice(0, 20)) {
  console.log(line);
}
process.exitCode = lost.length > 0 ? 1 : 0;
