/** Completion as shells have it: real bash, zsh and fish run the script, with names from a real API. */

import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import type { Shell } from '../../controller/cli/completion.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { runHere } from './run-main.js';

const completion = suite<{ running: RunningApi; folder: string }>('completion');

completion.before(async (context) => {
  context.running = await runApi([
    ...['policy steps=10,100 bake=10s', 'connect web1', 'commit a1 checkout:v1=100,v2=0', 'ack'],
    ...['commit b2 checkout:v1=0,v2=100', 'ack'],
  ]);
  context.running.proxies.push({
    id: proxyId('proxy-7'),
    identity: { nodeId: 'mesh/demo/virtualNode/web', instance: 'web1', kind: 'envoy' },
    address: '127.0.0.1:50001',
    connectedAtMs: 0,
    ackedGeneration: 1,
    types: {},
    userAgent: 'envoy 1.40.0',
  });
  context.folder = await mkdtemp(join(tmpdir(), 'headgate-completion-'));
  const program = fileURLToPath(new URL('../../controller/main.js', import.meta.url));
  const script = join(context.folder, 'headgate');
  await writeFile(script, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(script, 0o755);
});

completion.after(async ({ running, folder }) => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The candidates for the words, the last of which is being typed. */
async function complete(running: RunningApi, ...words: readonly string[]) {
  const env = { HEADGATE_SERVER: running.url };
  const { stdout, stderr, code } = await runHere(['complete', '--', ...words], env);
  assert.is(stderr, '');
  assert.is(code, 0);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]]));
}

completion('knows commands, options, their values, and what is there now', async ({ running }) => {
  assert.equal(await complete(running, 'pa'), ['pause']);
  assert.ok((await complete(running, '')).length > 20);
  assert.equal(await complete(running, 'status', '--w'), ['--watch']);
  assert.equal(await complete(running, 'import', ''), ['app-mesh']);
  assert.equal(await complete(running, 'render', '-o', ''), ['yaml', 'json']);
  assert.equal(await complete(running, 'pause', ''), ['checkout-1']);
  assert.equal(await complete(running, 'pause', '--reason', 'why not', 'che'), ['checkout-1']);
  assert.equal(await complete(running, 'pause', 'checkout-1', ''), [], 'it takes one');
  assert.equal(await complete(running, 'proxies', ''), ['proxy-7']);
  assert.equal(await complete(running, 'bootstrap', 'mesh/'), ['mesh/demo/virtualNode/web']);
  assert.equal(await complete(running, 'events', '--rollout', ''), ['checkout-1']);
  assert.equal(await complete(running, 'history', '--kind', 'c'), ['command']);
  assert.equal(await complete(running, 'completion', 'z'), ['zsh']);
  assert.equal(await complete(running, 'explain', 'HG040').then((found) => found.slice(0, 2)), [
    'HG0401',
    'HG0402',
  ]);
  assert.equal(await complete(running, 'explain', 'VirtualR'), [
    'VirtualRouter',
    'VirtualRouter/checkout',
  ]);
  assert.equal(await complete(running, 'explain', 'VirtualRouter/checkout', ''), []);
  assert.equal(await complete(running, 'nonsense', ''), await complete(running, ''));
  const named = await runHere(['complete', '--', 'pause', '--server', running.url, '']);
  assert.match(named.stdout, /^checkout-1\t/);
});

completion('says nothing where the controller does not answer', async () => {
  const env = { HEADGATE_SERVER: 'http://127.0.0.1:9' };
  assert.equal(await runHere(['complete', '--', 'pause', ''], env), {
    code: 0,
    stdout: '',
    stderr: '',
  });
});

/** What the shell makes of `line`, typed to its end: a candidate a line. */
const asked: Readonly<Record<Shell, (line: string) => readonly string[]>> = {
  bash: (line) => [
    ...['bash', '--norc', '-c'],
    `source <(headgate completion bash)
     complete -p headgate >/dev/null || exit 1
     COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(); COMP_CWORD=0
     _headgate; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line) => [
    ...['zsh', '-f', '-c'],
    `compdef() { completer=$1 }
     _describe() { print -l -- \${(P)2} }
     source <(headgate completion zsh)
     words=("\${(@s: :)1}"); CURRENT=$#words
     $completer`,
    ...['zsh', line],
  ],
  fish: (line) => [
    ...['fish', '--no-config', '-c'],
    `headgate completion fish | source; complete -C '${line}'`,
  ],
};

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  completion(`works in ${shell}`, async ({ running, folder }) => {
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      HOME: folder,
      HEADGATE_SERVER: running.url,
    };
    const completed = async (line: string) => {
      const [program = '', ...args] = asked[shell](line);
      const { stdout } = await promisify(execFile)(program, args, { env, encoding: 'utf8' });
      // zsh and fish have the meaning behind the value.
      return stdout.split('\n').flatMap((text) => (text === '' ? [] : [text.split(/[\t:]/)[0]]));
    };
    assert.equal(await completed('headgate pau'), ['pause']);
    assert.equal(await completed(`headgate pause --server ${running.url} check`), ['checkout-1']);
    assert.equal(await completed('headgate bootstrap mesh/d'), ['mesh/demo/virtualNode/web']);
    assert.equal(await completed('headgate status --wat'), ['--watch']);
    assert.equal(await completed('headgate explain HG0401'), ['HG0401']);
    assert.equal(await completed('headgate explain VirtualRouter/'), ['VirtualRouter/checkout']);
  });
}

completion.run();
