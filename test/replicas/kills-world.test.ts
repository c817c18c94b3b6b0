/**
 * D01 with PostgreSQL: the only replica is killed with SIGKILL at every border to the network and people.
 * Each time it starts anew: the rollout goes on to its end, no proxy is given anything that was over, and
 * nothing happens twice but a message.
 */
import { suite } from 'uvu';
import { startPostgres } from '../support/postgres.js';
import { openStage, type Undo } from '../support/stage.js';
import { borders, killAt, openKilledStage } from './killed-stage.js';

const kills = suite('killed with PostgreSQL, in the world');
const undo: Undo = [];
const stage = await openStage(kills, undo, async () => {
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  return openKilledStage(undo, await postgres.createDatabase());
});
const points = borders.world;

for (const point of points) {
  kills(`D01 with PostgreSQL, killed at ${point}`, () => killAt(stage, point));
}

kills('all of them have been', () => {
  console.log(`figures D01 ${JSON.stringify({ killsInTheWorld: points.length })}`);
});

kills.run();
