/**
 * A program that the kill test starts and kills: it opens the state file named by its argument, goes on
 * from the number it finds there, and prints each number once its commit has returned. Output is written
 * synchronously, so what was printed stays printed.
 */
import { writeSync } from 'node:fs';
import { present } from '../../controller/base/assert.js';
import { openStore } from '../../controller/store/open-store.js';
import { manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';

const path = present(process.argv[2], 'the path of the state file');
writeSync(1, 'started\n');
const store = await openStore(path, { clock: manualClock(), logger: recordingLogger() });
let number = Number((await store.load())[0]?.json ?? 0);
for (;;) {
  number += 1;
  await store.commit({
    writes: ['left', 'right'].map((key) => ({ kind: 'number', key, json: `${number}` })),
    history: [{ atMs: number, kind: 'command', json: `${number}` }],
    notifications: [
      { id: `${number}`, topic: `${number}`, sink: 'chat', createdAtMs: number, json: '{}' },
    ],
  });
  writeSync(1, `${number}\n`);
}
