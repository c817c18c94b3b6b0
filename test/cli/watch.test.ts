/** `--watch` and `--wait`, as a person and a pipeline use them, on a real API. */
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type RunningApi, runApi } from '../api/running-api.js';
import { until } from '../support/until.js';
import { runHere, startMain } from './run-main.js';

const watching = suite<{ running: RunningApi }>('--watch and --wait');

const inFirstStep = [
  'policy steps=10,100 bake=1s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v1=0,v2=100',
];

watching.before.each(async (context) => {
  context.running = await runApi(inFirstStep);
});

watching.after.each(({ running }) => running.stop());

watching('--watch writes again what has changed, until a signal', async ({ running }) => {
  const child = startMain(['rollouts', '--watch', '--server', running.url]);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await until('it is shown', () => text.includes('checkout-1'));
  const shown = text.match(/ROLLOUT/g)?.length;
  running.run('pause checkout-1 why');
  await until('the change is shown', () => /checkout-1 .*Paused/.test(text));
  assert.is(text.match(/ROLLOUT/g)?.length, (shown ?? 0) + 1, text);
  assert.not.match(text, '\u001b', 'nothing is painted over where no terminal is');
  child.kill('SIGINT');
  assert.equal((await once(child, 'exit'))[0], 0);
});

watching('--wait ends with the rollout, and its exit code says how', async ({ running }) => {
  const waited = runHere(['rollouts', 'checkout-1', '--wait', '--server', running.url]);
  running.run('abort checkout-1 why', 'ack');
  const { code, stdout } = await waited;
  assert.is(code, 1);
  assert.match(stdout, 'Aborted');
  running.run('commit c3 checkout:v1=50,v2=50', 'ack', 'promote checkout-2 why', 'ack');
  const args = ['rollouts', 'checkout-2', '--wait', '--server', running.url];
  assert.is((await runHere(args)).code, 0);
});

watching('--wait does not wait for ever, and needs to know for what', async ({ running }) => {
  const args = ['rollouts', 'checkout-1', '--wait', '--timeout', '100ms', '--server', running.url];
  const { code, stderr } = await runHere(args);
  assert.is(code, 124);
  assert.match(stderr, 'rollout checkout-1 has not ended within the time of --timeout');
  assert.is((await runHere(['rollouts', '--wait', '--server', running.url])).code, 2);
});

watching.run();
