/** Names of events: the compiler keeps other names out of the log; here, that each is in use and well formed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewHistory } from '../controller/api/history-view.js';
import { eventTable } from '../controller/event-table.js';
import { countEvents, logEvent } from '../controller/telemetry/count-events.js';
import { projectPath } from './support/project.js';
import { recordingLogger } from './support/recording-logger.js';

const events = suite('event names');

events('are one area and one word', () => {
  for (const [name, { meaning }] of Object.entries(eventTable)) {
    assert.match(name, /^[a-z]+\.[a-z][A-Za-z]*$/);
    assert.match(meaning, /^[A-Z].*\.$/, name);
  }
});

events('are each logged or announced somewhere', () => {
  const root = projectPath('controller');
  const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'event-table.ts')
    .map((name) => readFileSync(join(root, name), 'utf8'))
    .join('\n');
  const unused = Object.keys(eventTable).filter((name) => !code.includes(`'${name}'`));
  assert.equal(unused, []);
});

events('of the history are those of the log', () => {
  const eventOf = (kind: string, data: object) =>
    viewHistory({ id: 1, atMs: 0, kind, json: JSON.stringify(data) }).event;
  assert.is(eventOf('revision', { verdict: 'accepted' }), 'revision.accepted');
  assert.is(eventOf('revision', { verdict: 'rejected' }), 'revision.rejected');
  assert.is(eventOf('rollout', {}), 'rollout.moved');
  assert.is(eventOf('command', {}), 'rollout.command');
  assert.is(eventOf('proxy', {}), 'xds.refused');
  assert.is(eventOf('of an older version', {}), undefined);
});

events('are counted at their level, whether they are written or not', () => {
  const logger = recordingLogger();
  const counting = countEvents(logger);
  counting.info('hook.received', { provider: 'github' });
  logEvent(counting, 'hook.received', {});
  logEvent(counting, 'store.failed', { error: 'disk full' });
  assert.equal(
    logger.lines.map(({ level, event }) => `${level} ${event}`),
    ['info hook.received', 'info hook.received', 'error store.failed'],
  );
  const counts = [...counting.counts()].filter(([, n]) => n > 0);
  assert.equal(counts, [
    [{ event: 'hook.received', level: 'info' }, 2],
    [{ event: 'store.failed', level: 'error' }, 1],
  ]);
  assert.is([...counting.counts()].length, Object.keys(eventTable).length);
});

events.run();
