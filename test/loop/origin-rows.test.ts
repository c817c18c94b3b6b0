/** Where resources stand is stored by file: a commit writes the files in which something moved. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Follower } from '../../controller/loop/follower.js';
import { changedSaved, nothingSaved, restoreSaved } from '../../controller/loop/persist.js';
import type { StoreWrite } from '../../controller/loop/ports.js';
import { PublicationFactory } from '../../controller/loop/publication.js';
import { startState } from '../../controller/loop/start-state.js';
import {
  type Origin,
  type Origins,
  originOf,
  originsByFile,
} from '../../controller/mesh/origins.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { recordingLogger } from '../support/recording-logger.js';

const rows = suite('rows of origins');

const files = 50;
const place = (file: string, line: number): Origin => ({ file, line, column: 1 });

/** Two nodes in each file; `down` lines stand before those of the file with that number. */
function originsWith(down: Readonly<Record<number, number>> = {}): Origins {
  const all = Array.from({ length: files }, (_, index) => {
    const first = 1 + (down[index] ?? 0);
    const [one, two] = [place(`f${index}.yaml`, first), place(`f${index}.yaml`, first + 9)];
    return [
      [`demo/VirtualNode/a${index}`, one],
      [`demo/VirtualNode/b${index}`, two],
    ] as const;
  });
  return originsByFile(new Map(all.flat()));
}

function saved(origins: Origins) {
  return { ...nothingSaved, origins };
}

/** What a store has after `writes`. */
function stored(writes: readonly StoreWrite[], known: readonly StoreWrite[] = []) {
  const values = new Map<string, { kind: string; key: string; json: string }>();
  for (const { kind, key, json } of [...known, ...writes]) {
    if (json === null) {
      values.delete(`${kind} ${key}`);
    } else {
      values.set(`${kind} ${key}`, { kind, key, json });
    }
  }
  return [...values.values()];
}

rows('lines that move in one file are one row, whatever stands in others', () => {
  const before = originsWith();
  const after = originsWith({ 7: 3 });
  const writes = changedSaved(saved(before), saved(after));
  const written = writes.filter(({ json }) => json !== null);
  assert.is(written.length, 1);
  assert.match(written[0]?.json ?? '', 'f7.yaml');
  assert.not.match(written[0]?.json ?? '', 'f8.yaml');
  // Another process reads the same places, and finds the same in the file that did not move.
  const values = stored(writes, changedSaved(nothingSaved, saved(before)));
  const { origins } = restoreSaved(values);
  assert.equal(origins, after);
  assert.equal(changedSaved({ ...nothingSaved, origins }, saved(after)), []);
  assert.equal(originOf(origins, 'demo/VirtualNode/b7'), place('f7.yaml', 13));
});

rows('a file that is gone, or was moved to another repository, leaves no row', () => {
  const before = originsByFile(
    new Map([
      ['demo/VirtualNode/a', { repository: 'one', ...place('a.yaml', 1) }],
      ['demo/VirtualNode/b', { repository: 'one', ...place('b.yaml', 1) }],
    ]),
  );
  const after = originsByFile(
    new Map([['demo/VirtualNode/a', { repository: 'two', ...place('a.yaml', 1) }]]),
  );
  const first = changedSaved(nothingSaved, saved(before));
  const values = stored(changedSaved(saved(before), saved(after)), first);
  assert.is(values.length, 1);
  assert.is(originOf(restoreSaved(values).origins, 'demo/VirtualNode/a')?.repository, 'two');
  assert.is(originOf(restoreSaved(values).origins, 'demo/VirtualNode/b'), undefined);
});

rows(
  'the one row of an older version is not gone by, and goes with the first that is written',
  () => {
    const former = {
      kind: 'origins',
      key: '',
      json: JSON.stringify([['demo/VirtualNode/a0', place('old.yaml', 99)]]),
    };
    const known = restoreSaved([former]);
    assert.is(known.origins.size, 0);
    const values = stored(changedSaved(known, saved(originsWith())), [former]);
    assert.is(values.length, files);
    // An older version finds the row by its kind alone.
    assert.not(values.some(({ kind }) => kind === 'origins'));
  },
);

rows('a follower takes in the files that changed', () => {
  const logger = recordingLogger();
  const follower = new Follower(
    {
      publisher: { publish: () => assert.unreachable('nothing is served'), proxies: () => [] },
      publications: new PublicationFactory(logger),
      onState: () => {},
    },
    startState(nothingSaved.durable, new LoadHistory(), 0),
  );
  const [first, second] = [originsWith(), originsWith({ 3: 1, 4: 2 })];
  follower.follow(changedSaved(nothingSaved, saved(first)), true);
  assert.equal(follower.current().origins, first);
  const untouched = follower.current().origins.get(':f5.yaml');
  assert.ok(untouched);
  follower.follow(changedSaved(saved(first), saved(second)), false);
  assert.equal(follower.current().origins, second);
  assert.is(follower.current().origins.get(':f5.yaml'), untouched);
  follower.follow(changedSaved(nothingSaved, saved(first)), true);
  assert.equal(follower.current().origins, first);
});

rows.run();
