/** `--watch` and `--wait`, as a person and a pipeline use them, on a real API. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** `args` in a process of its own, which `stop` ends with a signal; that gives its exit code. */
function watch({ url }: { readonly url: string }, ...args: readonly string[]) {
  const child = startMain([...args, '--server', url]);
  const seen = { text: '', talk: '' };
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    seen.text += more;
  });
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    seen.talk += more;
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGINT');
    return (await ended)[0];
  };
  undo.push(() => child.kill('SIGKILL'));
  return { seen, stop };
}

const undo: (() => unknown)[] = [];

watching.after.each(() => {
  for (const step of undo.splice(0)) {
    step();
  }
});

watching('--watch writes the lines that are new, until a signal', async ({ running }) => {
  const { seen, stop } = watch(running, 'rollouts', '--watch');
  await until('it is shown', () => seen.text.includes('checkout-1'));
  running.run('pause checkout-1 why');
  await until('the change is shown', () => /^checkout-1 .*Paused/m.test(seen.text));
  assert.is(seen.text.match(/^ROLLOUT/gm)?.length, 1, seen.text);
  assert.not.match(seen.text, '\u001b', 'nothing is painted over where no terminal is');
  assert.is(await stop(), 0);
});

watching('--watch of JSON writes each text in full', async ({ running }) => {
  const { seen, stop } = watch(running, 'rollouts', 'checkout-1', '--watch', '-o', 'name');
  await until('it is shown', () => seen.text === 'checkout-1\n');
  assert.is(await stop(), 0);
  const json = watch(running, 'rollouts', 'checkout-1', '--watch', '-o', 'json');
  await until('it is shown', () => json.seen.text.endsWith('}\n'));
  const first = json.seen.text;
  running.run('pause checkout-1 why');
  await until('the change is shown', () => /\n\}\n\{\n(.|\n)*\n\}\n$/.test(json.seen.text));
  const second = JSON.parse(json.seen.text.slice(first.length));
  assert.is(second.phase, 'Paused');
  assert.is(await json.stop(), 0);
});

watching('history --watch begins with the oldest, and adds what comes', async ({ running }) => {
  const { seen, stop } = watch(running, 'events', '--watch', '--rollout', 'checkout-1');
  await until('it is shown', () => seen.text.includes('Progressing'));
  assert.match(seen.text, /checkout-1 Pending(.|\n)*checkout-1 Progressing/);
  assert.not.match(seen.text, 'accepted: change');
  running.run('pause checkout-1 why');
  await until('it is added', () => seen.text.includes('checkout-1 Paused'));
  assert.is(seen.text.match(/checkout-1 Pending/g)?.length, 1, 'each is printed once');
  assert.match(seen.text, /^\S+Z {3}command {4}pause checkout-1 by ann: why$/m);
  assert.is(await stop(), 0);
});

watching('--watch ends where nobody reads it any more', async ({ running }) => {
  const child = startMain(['rollouts', '--watch', '--server', running.url]);
  undo.push(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout ?? child, 'data');
  child.stdout?.destroy();
  running.run('pause checkout-1 why');
  assert.equal(await ended, [0, null]);
});

/** What answers for the API at one address, and can be away. */
async function relayTo(url: string) {
  let isAway = false;
  const answered: string[] = [];
  const relay = createServer((request, response) => {
    if (isAway) {
      request.socket.destroy();
      return;
    }
    void fetch(`${url}${request.url}`).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(await answer.text(), () => answered.push(request.url ?? ''));
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  undo.push(() => relay.close());
  return {
    url: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    answered,
    setAway: (value: boolean) => {
      isAway = value;
    },
  };
}

watching('--watch and --wait outlast a controller that is started anew', async ({ running }) => {
  const relay = await relayTo(running.url);
  const watched = watch(relay, 'status', '--watch');
  const waited = watch(relay, 'rollouts', 'checkout-1', '--wait');
  await until('it is shown', () => watched.seen.text.includes('rolling out'));
  await until('both ask', () => relay.answered.includes('/api/v1/rollouts/checkout-1'));
  relay.setAway(true);
  for (const { seen } of [watched, waited]) {
    await until('it says so', () => seen.talk.includes('does not answer; trying again'));
  }
  running.run('abort checkout-1 why', 'ack');
  relay.setAway(false);
  await until('the end is shown', () => waited.seen.text.includes('Aborted'));
  await until('what came is shown', () => watched.seen.text.includes('is held'));
  assert.match(watched.seen.talk, 'the controller answers again');
  assert.is(await watched.stop(), 0);
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
