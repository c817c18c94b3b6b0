/** The log's lines: events with fields, and nothing in them that must not get out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../controller/base/op-error.js';
import { createLogger } from '../controller/log.js';

const log = suite('log');

/** What a logger at level `info` writes when `use` has used it. */
function linesOf(
  use: (logger: ReturnType<typeof createLogger>) => void,
  format: 'json' | 'pretty',
) {
  const lines: string[] = [];
  use(createLogger({ logLevel: 'info', logFormat: format }, (line) => lines.push(line)));
  return lines;
}

function only(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [line = ''] = linesOf((logger) => logger.info('revision.read', fields), 'json');
  const { time, level, event, ...rest } = JSON.parse(line);
  return rest;
}

log('a line is one JSON object with level, time, event and fields', () => {
  const lines = linesOf((logger) => {
    logger.info('rollout.moved', { rollout: 'reviews-1', step: 2 });
    logger.warn('xds.unanswered');
    logger.error('store.failed', { code: 'disk-full' });
  }, 'json');
  const objects = lines.map((line) => JSON.parse(line));
  assert.equal(
    objects.map(({ time, ...rest }) => rest),
    [
      { level: 'info', event: 'rollout.moved', rollout: 'reviews-1', step: 2 },
      { level: 'warn', event: 'xds.unanswered' },
      { level: 'error', event: 'store.failed', code: 'disk-full' },
    ],
  );
  assert.match(objects[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(lines.every((line) => line.endsWith('\n') && line.trim().split('\n').length === 1));
});

log('lines below the level are not written', () => {
  const lines: string[] = [];
  const logger = createLogger({ logLevel: 'error', logFormat: 'json' }, (line) => lines.push(line));
  logger.info('hook.received');
  logger.warn('hook.refused');
  assert.equal(lines, []);
});

log('fields that hold secrets are redacted by their name, at any depth', () => {
  assert.equal(
    only({ apiKey: 'a', target: { slackToken: 'b', list: [{ password: 'c' }] }, n: 1 }),
    {
      apiKey: '[redacted]',
      target: { slackToken: '[redacted]', list: [{ password: '[redacted]' }] },
      n: 1,
    },
  );
});

log('credentials inside URLs are redacted', () => {
  const text = (value: string) => only({ value }).value;
  assert.is(
    text('clone https://ghp_abc@git.example/m.git'),
    'clone https://[redacted]@git.example/m.git',
  );
  assert.is(text('clone https://u:p@git.example/m'), 'clone https://[redacted]@git.example/m');
  assert.is(text('ssh://git:p@git.example/m'), 'ssh://git:[redacted]@git.example/m');
  assert.is(text('ssh://git@git.example/m'), 'ssh://git@git.example/m');
  assert.is(
    text('POST https://hooks.slack.com/services/T/B/x failed'),
    'POST https://hooks.slack.com/[redacted] failed',
  );
  assert.is(
    text('https://x.example/in?a=1&access_token=t&b=2'),
    'https://x.example/in?a=1&access_token=[redacted]&b=2',
  );
});

log('control characters do not reach the reader', () => {
  assert.is(only({ title: 'red \u001b[31m\r\nforged line' }).title, 'red \ufffd[31m forged line');
  const [pretty = ''] = linesOf((logger) => {
    logger.info('revision.read', { title: 'a\u001b[2J\nforged\u202e' });
  }, 'pretty');
  assert.is(pretty.trim().split('\n').length, 1);
  assert.not(pretty.includes('\u001b') || pretty.includes('\u202e'), pretty);
  assert.match(pretty, /revision\.read.*forged/);
});

log('an operating error is its message, a bug has its stack too', () => {
  const operating = only({
    error: new OpError('git-auth', 'no key for https://u:p@git.example/m'),
  });
  assert.equal(operating, { error: { message: 'no key for https://[redacted]@git.example/m' } });
  const { error } = only({ error: new TypeError('boom') });
  assert.match(JSON.stringify(error), /"message":"boom".*log\.test/);
});

log('a field that refers to itself ends', () => {
  const ring: Record<string, unknown> = { big: 12n };
  ring.self = ring;
  assert.match(JSON.stringify(only({ ring })), /"big":"12".*\[deep\]/);
});

log.run();
