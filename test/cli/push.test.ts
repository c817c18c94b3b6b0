/**
 * Life around the repository, with the real program and real Git: a push webhook makes the controller look
 * at once, though its poll is an hour away, and the commit's own status says what came of it.
 */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meshFiles } from '../../controller/demo/mesh-files.js';
import { type ChatServer, startChatServer } from '../notify/chat-server.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { until } from '../support/until.js';
import { runHere } from './run-main.js';

interface Context {
  folder: string;
  repository: TestRepository;
  forge: ChatServer;
  headgate: HeadgateProcess;
}

const push = suite<Context>('push in, status out');

const ports = { checkout: { v1: 9001 }, app: { v1: 8001 } };

push.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-push-'));
  context.repository = makeRepository(context.folder);
  context.forge = await startChatServer();
  context.forge.answer((response, { body }) =>
    body === ''
      ? response.writeHead(200).end('{"statuses":[]}')
      : response.writeHead(201).end('{}'),
  );
  context.repository.commit(meshFiles(ports), 'first');
  const at = (name: string, text: string) => {
    writeFileSync(join(context.folder, name), text);
    return join(context.folder, name);
  };
  const config = at(
    'headgate.yaml',
    `hooks: { github: { secretFile: ${at('hook', 'hook-s3cret\n')} } }
notifications:
  commitStatuses:
    - name: forge
      provider: github
      repository: team/mesh
      apiUrl: ${new URL(context.forge.url).origin}
      tokenFile: ${at('token', 'forge-s3cret\n')}
`,
  );
  context.headgate = await startHeadgate([
    ...['--config', config, '--repo', context.repository.bare, '--poll', '1h'],
    ...['--state', join(context.folder, 'state.db')],
    ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'],
  ]);
});

push.after(async ({ folder, forge, headgate }) => {
  await headgate?.stop();
  await forge?.close();
  rmSync(folder, { recursive: true, force: true });
});

push('a push webhook brings a commit into service at once', async (context) => {
  const { repository, headgate } = context;
  await applied(context, repository.git('rev-parse', 'HEAD'));
  const tookMs: number[] = [];
  for (const round of [1, 2, 3, 4, 5]) {
    const id = repository.commit(
      { [`note-${round}.yaml`]: nodeYaml(`extra-${round}`) },
      `n${round}`,
    );
    const startedMs = performance.now();
    assert.is(await callHook(headgate, id), 202);
    await applied(context, id);
    tookMs.push(Math.round(performance.now() - startedMs));
  }
  process.stdout.write(`  figures ${JSON.stringify({ webhookToServedMs: tookMs })}\n`);
});

push('explain leads from a resource to its file, line and commit', async (context) => {
  const { repository, headgate } = context;
  const id = repository.git('rev-parse', 'HEAD');
  const ask = (...args: readonly string[]) =>
    runHere(['explain', 'virtualNode/extra-5', '--server', headgate.url, ...args]);
  const { code, stdout, stderr } = await ask();
  assert.is(code, 0, stderr);
  assert.match(stdout, /^Source +note-5\.yaml:\d+$/m);
  assert.match(stdout, new RegExp(`^Commit +${id.slice(0, 12)} n5 \\(.+\\)$`, 'm'));
  assert.match(stdout, /^State +synced: what is served is what Git asks for$/m);
  const asJson = JSON.parse((await ask('-o', 'json')).stdout);
  assert.equal([asJson.source.file, asJson.source.commit], ['note-5.yaml', id]);
  assert.match(asJson.source.yaml, 'name: extra-5');
});

push('a burst of webhooks becomes a poll or two', async ({ repository, headgate }) => {
  const id = repository.git('rev-parse', 'HEAD');
  const answers = await Promise.all(Array.from({ length: 50 }, () => callHook(headgate, id)));
  assert.ok(answers.every((status) => status === 202));
  assert.is((await headgate.status()).revision.applied, id);
});

push('the valid commit and the broken one have their statuses', async (context) => {
  const { repository, headgate } = context;
  const good = repository.git('rev-parse', 'HEAD');
  const bad = repository.commit({ 'note-1.yaml': 'kind: VirtualNude\n' }, 'broken');
  assert.is(await callHook(headgate, bad), 202);
  await until('both statuses are set', () => statusOf(context, bad) !== undefined);
  assert.is(statusOf(context, good)?.description, 'valid');
  assert.equal(statusOf(context, good, 'headgate/shop/rollout'), {
    state: 'success',
    context: 'headgate/shop/rollout',
    description: 'live: extra-5',
  });
  const failure = statusOf(context, bad);
  assert.is(failure?.state, 'failure');
  assert.match(failure?.description ?? '', /^\d problems?; note-1\.yaml:\d+ HG\d{4} /);
  const { revision } = await headgate.status();
  assert.equal([revision.applied, revision.attempted], [good, bad]);
});

push('no secret is in the log', async ({ headgate }) => {
  assert.not.match(headgate.log(), 's3cret');
  assert.match(headgate.log(), '"hook.received"');
});

interface Status {
  readonly state: string;
  readonly context: string;
  readonly description: string;
}

/** The newest status of this context that was set on `commit`. */
function statusOf(
  { forge }: Context,
  commit: string,
  name = 'headgate/validate',
): Status | undefined {
  return forge.requests
    .filter(({ path, body }) => path === `/repos/team/mesh/statuses/${commit}` && body !== '')
    .map(({ body }) => JSON.parse(body) as Status)
    .filter(({ context }) => context === name)
    .at(-1);
}

async function applied({ headgate }: Context, id: string): Promise<void> {
  await until(
    `${id} is applied`,
    async () => (await headgate.status()).revision.applied === id,
    20_000,
  );
}

async function callHook({ url }: HeadgateProcess, after: string): Promise<number> {
  const body = JSON.stringify({ ref: 'refs/heads/main', after });
  const signature = createHmac('sha256', 'hook-s3cret').update(body).digest('hex');
  const headers = { 'X-Hub-Signature-256': `sha256=${signature}`, 'X-GitHub-Event': 'push' };
  const response = await fetch(`${url}/api/v1/hooks/github`, { method: 'POST', headers, body });
  await response.text();
  return response.status;
}

/** A node that nothing refers to. */
function nodeYaml(name: string): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: 9 }] } }
`;
}

push.run();
