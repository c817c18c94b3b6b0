/**
 * `npm run bench:reaction [ROUNDS]`: how fast the main loop reacts, with real Git and three real Envoys.
 * Each round commits a bad release and its revert. Printed in milliseconds, median and worst:
 * the commit to the first changed weight inside an Envoy (its admin interface says so), less the poll
 * interval; and, once a round, the start after `kill -9` to serving. The way back is `bench:rollback`.
 */
import { checkout, routeFile } from '../../controller/demo/mesh-files.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import {
  isWeighted,
  openThreeEnvoys,
  pollMs,
  renderLosses,
  revert,
  spreadOf,
} from './three-envoys.js';

const policy = policyYaml({
  name: 'quick',
  steps: ['{ progress: 50, bake: 5s }', '{ progress: 100, bake: 5s }'],
  gates: [successGate('5s', 10)],
});

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 20);
  const undo: Undo = [];
  try {
    await measure(rounds, undo);
  } finally {
    for (const step of undo.reverse()) {
      await step();
    }
  }
}

async function measure(rounds: number, undo: Undo): Promise<void> {
  const opened = await openThreeEnvoys(policy, undo);
  const { stage } = opened;
  let { headgate } = opened;
  const toWeight: number[] = [];
  const toServing: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const known = (await headgate.rollouts()).map(({ id }) => id);
    await stage.repository.commit(`bad ${round}`, { [routeFile]: checkout('v2') });
    const pushedMs = performance.now();
    await until('Envoy has the first weight', () => isWeighted(stage.envoys[0]));
    toWeight.push(performance.now() - pushedMs - pollMs);
    const { id } = await headgate.newRollout(known);
    await headgate.rolloutIn(id, ['RolledBack'], 30_000);
    await headgate.stop('SIGKILL');
    const killedMs = performance.now();
    headgate = await stage.serve();
    toServing.push(performance.now() - killedMs);
    await revert(headgate, stage);
  }
  console.log(`${rounds} rounds, 3 Envoys, poll every ${pollMs} ms`);
  print('commit pushed to first changed weight in Envoy, less one poll interval', toWeight);
  print('start after kill -9 to serving', toServing);
  console.log(renderLosses(stage.loads));
}

function print(title: string, values: readonly number[]): void {
  const { median, worst } = spreadOf(values);
  console.log(`${title}: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`);
}

await main();
