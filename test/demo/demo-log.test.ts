/** What the demo shows of the controller's log: errors that it does not tell itself, as one line each. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { demoLogger } from '../../controller/demo/demo-log.js';

const log = suite("the demo's log");

function said(use: (logger: ReturnType<typeof demoLogger>) => void): readonly string[] {
  const lines: string[] = [];
  use(demoLogger((line) => lines.push(line)));
  return lines;
}

log('what the story tells in its own words is not said twice', () => {
  const lines = said((logger) => {
    logger.info('rollout.moved', { rollout: 'checkout-2' });
    logger.warn('rollout.paused');
    logger.error('rollout.rolledBack', { rollout: 'checkout-2' });
    logger.error('revision.rejected', { revision: 'c3' });
  });
  assert.equal(lines, []);
});

log('an error of the controller is a line among the others, without secrets', () => {
  const [line = '', ...more] = said((logger) =>
    logger.error('store.failed', { code: 'disk-full', token: 'abc' }),
  );
  assert.equal(more, []);
  assert.match(line, /^ {2}✖ store\.failed {2}\{"code":"disk-full"/);
  assert.not.match(line, 'abc');
});

log.run();
