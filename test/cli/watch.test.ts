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

watching('a verb with --wait ends where it leads', async ({ running }) => {
  const ask = (verb: string, ...args: readonly string[]) =>
    runHere([verb, 'checkout-1', '--wait', '--server', running.url, ...args]);
  const paused = await ask('pause', '-o', 'name');
  assert.equal(paused, { code: 0, stdout: 'checkout-1\n', stderr: '' });
  // Nothing acknowledges, so it stays on its way.
  const slow = await ask('resume', '--timeout', '100ms');
  assert.is(slow.code, 124);
  assert.match(slow.stderr, 'checkout-1: resume did not come to what it leads to within');
  const aborting = ask('abort', '-o', 'json');
  await until('it goes back', () => running.commands.some(({ command }) => command === 'abort'));
  running.run('ack');
  const aborted = await aborting;
  assert.is(aborted.code, 0, aborted.stderr);
  assert.is(JSON.parse(aborted.stdout).phase, 'Aborted');
});

watching('retry --wait follows the rollout that it starts', async ({ running }) => {
  running.run('abort checkout-1 why', 'ack');
  const args = ['retry', 'checkout-1', '--wait', '--server', running.url];
  const retrying = runHere(args);
  await until('it is started anew', async () =>
    (await running.json<readonly { id: string }[]>('/api/v1/rollouts')).some(
      ({ id }) => id === 'checkout-2',
    ),
  );
  running.run('ack', 'promote checkout-2 why', 'ack');
  const retried = await retrying;
  assert.is(retried.code, 0, retried.stdout);
  assert.match(retried.stdout, /^checkout-2 Succeeded: /);
});

watching(
  'a verb that ends elsewhere is 1, and one that needs a person again too',
  async (context) => {
    const { running } = context;
    const resumed = async () => {
      const args = ['resume', 'checkout-1', '--wait', '--server', running.url];
      const asked = running.commands.length;
      const result = runHere(args);
      await until('it is asked', () => running.commands.length > asked);
      return result;
    };
    running.run('pause checkout-1 lunch');
    const again = resumed();
    await until('it went on', () => running.commands.some(({ command }) => command === 'resume'));
    running.run('pause checkout-1 dinner');
    const stopped = await again;
    assert.is(stopped.code, 1);
    assert.match(stopped.stdout, /^checkout-1 Paused: /);
    const last = resumed();
    await until(
      'it went on',
      () => running.commands.filter((c) => c.command === 'resume').length > 1,
    );
    running.run('abort checkout-1 why', 'ack');
    assert.is((await last).code, 1);
  },
);

watching.run();
