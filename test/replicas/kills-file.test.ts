/**
 * D01 with a file: the controller is killed with SIGKILL at every border to the store, the network and
 * people. Each time it starts anew: the rollout goes on to its end, no proxy is given anything that was
 * over, and nothing happens twice but a message.
 */
import { suite } from 'uvu';
import { openStage, type Undo } from '../support/stage.js';
import { borders, killAt, openKilledStage } from './killed-stage.js';

const kills = suite('killed with a file');
const undo: Undo = [];
const stage = await openStage(kills, undo, () => openKilledStage(undo));
const points = [...borders.store, ...borders.world];

for (const point of points) {
  kills(`D01 with a file, killed at ${point}`, () => killAt(stage, point));
}

kills('all of them have been', () => {
  console.log(`figures D01 ${JSON.stringify({ killsWithFile: points.length })}`);
});

kills.run();
