/**
 * `npm run bench:rollback [ROUNDS]`: how long a bad release is served once a gate has failed, with real Git,
 * the controller in a process of its own and three real Envoys under load. Each round commits a bad release,
 * waits for its rollback and takes the commit back. Printed as a table: the failing verdict to the rollback
 * that all three have acknowledged, by the history; to the last Envoy whose admin interface shows no weight
 * any more, by somebody who looks from outside; and how long the gate took to be sure, which is the
 * policy's doing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HistoryView } from '../../controller/api/history-view.js';
import { checkout, routeFile } from '../../controller/demo/mesh-files.js';
import type { RunningEnvoy } from '../support/envoy.js';
import type { HeadgateProcess } from '../support/headgate.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import {
  isWeighted,
  openThreeEnvoys,
  renderLosses,
  revert,
  spreadOf,
  type ThreeEnvoys,
} from './three-envoys.js';

/** The rollback of a release that nobody's requests were left to judge would prove nothing. */
const policy = policyYaml({
  name: 'quick',
  steps: ['{ progress: 50, bake: 5s }', '{ progress: 100, bake: 5s }'],
  gates: [successGate('2s', 10)],
});

/** How often an Envoy is looked at: its figure is too large by as much at most, and by the answer's time. */
const lookMs = 5;

interface Round {
  /** From the acknowledged step to the verdict. */
  readonly toVerdictMs: number;
  readonly toAckedMs: number;
  readonly toGoneMs: number;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 20);
  const undo: Undo = [];
  try {
    const { stage, headgate } = await openThreeEnvoys(policy, undo);
    const done: Round[] = [];
    while (done.length < rounds) {
      const round = await measure(headgate, stage, done.length);
      done.push(round);
      console.error(`${done.length}: ${JSON.stringify(round)}`);
      await revert(headgate, stage);
    }
    print(done);
    console.log(`\n${rounds} rounds, ${renderLosses(stage.loads)}`);
  } finally {
    for (const step of undo.reverse()) {
      await step();
    }
  }
}

async function measure(
  headgate: HeadgateProcess,
  { repository, envoys }: ThreeEnvoys,
  round: number,
): Promise<Round> {
  const known = (await headgate.rollouts()).map(({ id }) => id);
  await repository.commit(`bad ${round}`, { [routeFile]: checkout('v2') });
  await Promise.all(
    envoys.map((envoy) => until('Envoy has the first weight', () => isWeighted(envoy))),
  );
  const goneAtMs = Promise.all(envoys.map(whenGone));
  const { id } = await headgate.newRollout(known);
  const ended = await headgate.rolloutIn(id, ['RolledBack'], 60_000);
  if (!ended.reason.includes('gate success failed')) {
    throw new Error(`the gate was to fail, and not: ${ended.reason}`);
  }
  const atMs = await timesOf(headgate, id);
  return {
    toVerdictMs: atMs('RollingBack') - atMs('Baking'),
    toAckedMs: atMs('RolledBack') - atMs('RollingBack'),
    toGoneMs: Math.max(...(await goneAtMs)) - atMs('RollingBack'),
  };
}

/** The time at which `envoy` was first seen without a weight for v2. */
async function whenGone(envoy: RunningEnvoy): Promise<number> {
  while (await isWeighted(envoy)) {
    await delay(lookMs);
  }
  return Date.now();
}

/** When the rollout `id` came to a phase. */
async function timesOf(headgate: HeadgateProcess, id: string): Promise<(phase: string) => number> {
  const answer = await fetch(`${headgate.url}/api/v1/history?kind=rollout&limit=20`);
  const history = (await answer.json()) as readonly HistoryView[];
  return (phase) => {
    const entry = history.find((one) => one.rollout === id && one.data.phase === phase);
    if (entry === undefined) {
      throw new Error(`the history does not tell when ${id} was ${phase}`);
    }
    return Date.parse(entry.at);
  };
}

function print(rounds: readonly Round[]): void {
  const row = (title: string, values: readonly number[]): void => {
    const { median, worst } = spreadOf(values);
    console.log(`| ${title} | ${median.toFixed(0)} ms | ${worst.toFixed(0)} ms |`);
  };
  console.log(`| from … to | median | worst of ${rounds.length} |`);
  console.log('| --- | ---: | ---: |');
  row(
    'failing verdict to rollback acknowledged by three Envoys',
    rounds.map(({ toAckedMs }) => toAckedMs),
  );
  row(
    'failing verdict to no weight left in any of them, as their admin interfaces show it',
    rounds.map(({ toGoneMs }) => toGoneMs),
  );
  row(
    'acknowledged step to the failing verdict',
    rounds.map(({ toVerdictMs }) => toVerdictMs),
  );
}

await main();
