/** Lines that say that something goes on: where a person sees them, and nowhere else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIo } from '../../controller/cli/io.js';
import { showElapsed } from '../../controller/cli/progress.js';
import { until } from '../support/until.js';

const progress = suite('progress of long work');

for (const isTTY of [true, false]) {
  progress(`is ${isTTY ? 'told on a terminal' : 'no part of a log'}`, async () => {
    let told = '';
    const stderr = { isTTY, write: (text: string) => (told += text) };
    const io = createIo({ NO_COLOR: '1' }, { stdout: { write: () => {} }, stderr });
    let turns = 0;
    const wait = () =>
      until('it was told, or time enough', () => {
        turns += 1;
        return isTTY ? told !== '' : turns > 3;
      }).then(() => 'done');
    const result = await showElapsed('fetching main of https://me:pw@git.example/m', io, wait, 1);
    assert.is(result, 'done');
    if (isTTY) {
      assert.match(told, /^fetching main of https:\/\/\S*git\.example\/m: \d+ s so far\n/);
      assert.not.match(told, 'pw');
    } else {
      assert.is(told, '');
    }
  });
}

progress.run();
