/**
 * The main loop with everything real: a Git repository, `headgate serve` in its own process, Envoys and
 * requests. One stage, many chapters: a good release, a bad one, a held change, a newer commit, kill -9
 * in mid-step, Git gone, chat gone, a NACK. Through all of it a client sends requests, and not one is
 * lost. The figures at the end are measured, not asserted.
 */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import { type DemoEnvoy, startEnvoy } from '../../controller/demo/envoys.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { type LoadClient, startLoad } from '../../controller/demo/load.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { startService } from '../../controller/demo/services.js';
import { envoyBinary } from '../support/envoy.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import { until } from '../support/until.js';

interface Stage {
  readonly folder: string;
  readonly repository: DemoRepository;
  /** The first commit's files. */
  readonly files: Readonly<Record<string, string>>;
  readonly xdsPort: number;
  readonly egressPort: number;
  readonly envoys: DemoEnvoy[];
  readonly chat: Chat;
  readonly load: LoadClient;
  headgate: HeadgateProcess;
  /** Ids of rollouts that a chapter has dealt with. */
  readonly known: string[];
  readonly figures: Record<string, number>;
}

const story = suite<{ stage: Stage }>('the main loop through a real Envoy');
const pollMs = 200;
const requestsPerSecond = 100;

/** v3 is the bad one; the others differ by name alone. */
const versions = [
  { version: 'v1', errorShare: 0 },
  { version: 'v2', errorShare: 0 },
  { version: 'v3', errorShare: 0.4 },
  { version: 'v4', errorShare: 0 },
];

const policy = policyYaml({
  name: 'quick',
  steps: [
    '{ progress: 10, bake: 2s }',
    '{ progress: 50, bake: 2s }',
    '{ progress: 100, bake: 1s }',
  ],
  gates: [successGate('5s', 15)],
});

story.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-story-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const services = await Promise.all(
    versions.map(({ version, errorShare }) => startService(version, errorShare)),
  );
  undo.push(() => Promise.all(services.map((service) => service.stop())));
  const [xdsPort = 0, egressPort = 0, ...ingress] = await freePorts(versions.length + 2);
  const checkoutPorts = Object.fromEntries(
    versions.map(({ version }, index) => [version, ingress[index] ?? 0]),
  );
  const appPorts = Object.fromEntries(services.map(({ version, port }) => [version, port]));
  const files = meshFiles({ checkout: checkoutPorts, app: appPorts });
  const repository = await createRepository(folder);
  await repository.commit('first release', { ...files, 'policy.yaml': policy });
  const chat = await startChat();
  undo.push(() => chat.stop());
  await writeFile(join(folder, 'slack-url'), `${chat.url()}\n`);
  const config = `notifications:\n  slack:\n    - name: ops\n      urlFile: ${join(folder, 'slack-url')}\n`;
  await writeFile(join(folder, 'headgate.yaml'), config);
  const headgate = await serve(folder, repository, xdsPort);
  const envoys: DemoEnvoy[] = [];
  undo.push(() => Promise.all(envoys.map((one) => one.stop())));
  const stage = { folder, repository, files, xdsPort, egressPort, chat, headgate, envoys };
  envoys.push(await envoy(stage, 'web', { egress: egressPort }));
  for (const { version } of versions) {
    envoys.push(await envoy(stage, `checkout-${version}`, { ingress: checkoutPorts[version] }));
  }
  await synced(headgate, envoys.length);
  const load = startLoad({ port: egressPort, host: 'checkout.shop.local', requestsPerSecond });
  undo.push(() => load.stop());
  context.stage = { ...stage, load, known: [], figures: {} };
});

/** What the stage started, to be ended in reverse, also where it was only half built. */
const undo: (() => Promise<unknown>)[] = [];

story.after(async ({ stage }) => {
  await stage?.headgate.stop();
  for (const step of undo.reverse()) {
    await step();
  }
  process.stdout.write(`  figures ${JSON.stringify(stage?.figures)}\n`);
});

function serve(folder: string, repository: DemoRepository, xdsPort: number) {
  return startHeadgate([
    ...['--repo', repository.bare, '--poll', `${pollMs}ms`],
    ...['--xds', `127.0.0.1:${xdsPort}`, '--http', '127.0.0.1:0'],
    ...['--state', join(folder, 'headgate.db'), '--config', join(folder, 'headgate.yaml')],
  ]);
}

async function envoy(
  stage: { readonly folder: string; readonly xdsPort: number },
  name: string,
  ports: { readonly ingress?: number; readonly egress?: number },
): Promise<DemoEnvoy> {
  const local = (port: number | undefined) =>
    port === undefined ? undefined : { address: '127.0.0.1', port };
  return startEnvoy({
    binary: await envoyBinary(),
    folder: stage.folder,
    name,
    nodeId: `mesh/shop/virtualNode/${name.replace(/\..*$/, '')}`,
    xds: { address: '127.0.0.1', port: stage.xdsPort },
    ingress: local(ports.ingress),
    egress: local(ports.egress),
  });
}

async function synced(headgate: HeadgateProcess, count: number): Promise<void> {
  await until(`${count} proxies are synced`, async () => {
    const { proxies } = await headgate.status();
    return proxies.synced === count && proxies.connected === count;
  });
}

/** A Slack that keeps what it gets. */
interface Chat {
  url(): string;
  readonly messages: readonly string[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function startChat(): Promise<Chat> {
  const messages: string[] = [];
  let server: Server | undefined;
  let port = 0;
  const start = async () => {
    server = createServer(async (request, response) => {
      messages.push(await bodyOf(request));
      response.end('ok');
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  };
  await start();
  return {
    url: () => `http://127.0.0.1:${port}/services/T000/B000/secret`,
    messages,
    start,
    stop: async () => {
      server?.closeAllConnections();
      await new Promise<void>((resolve) => server?.close(() => resolve()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
  }
  return body;
}

/** Commits the route to `version` and waits for its rollout. */
async function release(stage: Stage, version: string): Promise<RolloutView> {
  const startedMs = performance.now();
  await stage.repository.commit(`checkout ${version}`, { [routeFile]: checkout(version) });
  const rollout = await stage.headgate.newRollout(stage.known);
  stage.known.push(rollout.id);
  stage.figures[`commit to rollout ${rollout.id}, ms`] = Math.round(performance.now() - startedMs);
  return rollout;
}

/** Fails unless 60 answers in a row all come from `version`. */
async function expectOnly({ load }: Stage, version: string): Promise<void> {
  // Requests that were under way when the last proxy acknowledged may still be answered by another.
  const underWay = load.counts().sent + 20;
  await until('what was under way is answered', () => load.counts().sent >= underWay);
  const before = load.counts();
  await until('sixty more answers', () => load.counts().sent >= before.sent + 60);
  const after = load.counts();
  const others = Object.keys(after.byVersion).filter(
    (name) => name !== version && (after.byVersion[name] ?? 0) > (before.byVersion[name] ?? 0),
  );
  assert.equal(others, [], `only ${version} should answer`);
}

function expectNothingLost({ load }: Stage): void {
  assert.is(load.counts().lost, 0, `requests were lost: ${load.lastLoss()}`);
}

story('serves the first commit as it is', async ({ stage }) => {
  await expectOnly(stage, 'v1');
  const status = await stage.headgate.status();
  assert.is(status.revision.applied, status.revision.desired);
  assert.equal(await stage.headgate.rollouts(), []);
});

story('promotes a good release step by step, never backwards', async ({ stage }) => {
  const { headgate, load } = stage;
  const rollout = await release(stage, 'v2');
  const served: number[] = [];
  const actual: number[] = [];
  let before = load.counts();
  await until(
    'the rollout succeeds',
    async () => {
      const [now] = await headgate.rollouts();
      const target = now?.targets.find(({ virtualNode }) => virtualNode === 'checkout-v2');
      if (target !== undefined && target.served !== served.at(-1)) {
        const counts = load.counts();
        const sent = counts.sent - before.sent;
        const ours = (counts.byVersion.v2 ?? 0) - (before.byVersion.v2 ?? 0);
        actual.push(sent === 0 ? 0 : ours / sent);
        before = counts;
        served.push(target.served);
      }
      return now?.id === rollout.id && now.phase === 'Succeeded';
    },
    60_000,
  );
  assert.equal(served, [10, 50, 100]);
  // Shares that the client itself saw between the steps: none, about a tenth, about a half.
  assert.ok(
    actual.every((share, index) => index === 0 || share >= (actual[index - 1] ?? 0)),
    `the client saw ${JSON.stringify(actual)}`,
  );
  await expectOnly(stage, 'v2');
  await until('chat tells of start and success', () =>
    ['started', 'succeeded'].every((word) => stage.chat.messages.some((one) => one.includes(word))),
  );
  expectNothingLost(stage);
});

story('brings a bad release back within seconds, and holds it', async ({ stage }) => {
  const { headgate, load } = stage;
  const rollout = await release(stage, 'v3');
  await until('the bad version has answered an error', () => load.counts().errors > 0);
  const startedMs = performance.now();
  const ended = await headgate.rolloutIn(rollout.id, ['RolledBack'], 30_000);
  stage.figures['first bad answers to rolled back and acknowledged, ms'] = Math.round(
    performance.now() - startedMs,
  );
  stage.figures['errors that clients saw'] = load.counts().errors;
  assert.match(ended.reason, /gate success failed: success rate [\d.]+% < 99%/);
  await expectOnly(stage, 'v2');
  const status = await headgate.status();
  assert.is(status.held[0]?.rollout, rollout.id);
  assert.is.not(status.revision.applied, status.revision.desired);
  await until('chat tells of it', () =>
    stage.chat.messages.some((one) => one.includes('rolled back')),
  );
  expectNothingLost(stage);
});

story(
  'does not try a held change again when a commit touches something else',
  async ({ stage }) => {
    const { headgate, repository } = stage;
    const extra = `apiVersion: headgate/v1\nkind: VirtualService\nmetadata:\n  name: spare.shop.local\nspec: {}\n`;
    const commit = await repository.commit('a spare service', { 'spare.yaml': extra });
    await until(
      'the commit is desired',
      async () => (await headgate.status()).revision.desired === commit,
    );
    const spare = await headgate.newRollout(stage.known);
    stage.known.push(spare.id);
    assert.is(spare.name, 'spare.shop.local');
    await headgate.rolloutIn(spare.id, ['Succeeded']);
    const status = await headgate.status();
    assert.is(status.held.length, 1);
    assert.equal(status.rollouts, []);
    await expectOnly(stage, 'v2');
  },
);

story('a revert in Git clears it', async ({ stage }) => {
  const commit = await stage.repository.commit('back to v2', { [routeFile]: checkout('v2') });
  await until('the revert is applied', async () => {
    const { revision, held } = await stage.headgate.status();
    return revision.applied === commit && held.length === 0;
  });
});

story('a newer commit supersedes, and the older version gets nothing more', async ({ stage }) => {
  const first = await release(stage, 'v1');
  await stage.headgate.rolloutIn(first.id, ['Baking']);
  const second = await release(stage, 'v4');
  await stage.headgate.rolloutIn(first.id, ['Superseded']);
  await stage.headgate.rolloutIn(second.id, ['Succeeded'], 60_000);
  await expectOnly(stage, 'v4');
  expectNothingLost(stage);
});

story('a rejected commit changes nothing and says where and what', async ({ stage }) => {
  const { headgate, repository } = stage;
  const commit = await repository.commit('a mistake', { [routeFile]: checkout('v9') });
  await until('it was seen', async () => (await headgate.status()).revision.attempted === commit);
  const { revision } = await headgate.status();
  assert.is.not(revision.desired, commit);
  assert.match(revision.error ?? '', /checkout\.yaml:\d+:\d+/);
  await expectOnly(stage, 'v4');
  const fixed = await repository.commit('fixed', { [routeFile]: checkout('v4') });
  await until(
    'the fix is applied',
    async () => (await headgate.status()).revision.applied === fixed,
  );
});

story('killed with -9 in mid-step, it serves what it served and goes on', async ({ stage }) => {
  const rollout = await release(stage, 'v2');
  const baking = await stage.headgate.rolloutIn(rollout.id, ['Baking']);
  await stage.headgate.stop('SIGKILL');
  const startedMs = performance.now();
  stage.headgate = await serve(stage.folder, stage.repository, stage.xdsPort);
  stage.figures['start to serving after kill -9, ms'] = Math.round(performance.now() - startedMs);
  const [after] = await stage.headgate.rollouts();
  assert.is(after?.id, rollout.id);
  assert.ok((after?.step.index ?? 0) >= baking.step.index, 'it did not lose its place');
  await stage.headgate.rolloutIn(rollout.id, ['Succeeded'], 60_000);
  await expectOnly(stage, 'v2');
  expectNothingLost(stage);
});

story('with Git gone it serves, restarts, feeds new proxies and finishes', async ({ stage }) => {
  const rollout = await release(stage, 'v1');
  await stage.headgate.rolloutIn(rollout.id, ['Baking']);
  await rename(stage.repository.bare, `${stage.repository.bare}.away`);
  await until(
    'the source fails',
    async () => (await stage.headgate.status()).source.state === 'failing',
  );
  await stage.headgate.stop('SIGKILL');
  stage.headgate = await serve(stage.folder, stage.repository, stage.xdsPort);
  const [egress = 0] = await freePorts(1);
  const newcomer = await envoy(stage, 'web.second', { egress });
  stage.envoys.push(newcomer);
  await synced(stage.headgate, stage.envoys.length);
  await stage.headgate.rolloutIn(rollout.id, ['Succeeded'], 60_000);
  await expectOnly(stage, 'v1');
  const answer = await fetch(`http://127.0.0.1:${egress}/`);
  assert.is(answer.status, 404, 'the newcomer has its listener, and knows no such host');
  await rename(`${stage.repository.bare}.away`, stage.repository.bare);
  await until(
    'the source is back',
    async () => (await stage.headgate.status()).source.state === 'ok',
    60_000,
  );
  expectNothingLost(stage);
});

story('with chat gone nothing waits, and it is told later', async ({ stage }) => {
  const { chat, headgate } = stage;
  await chat.stop();
  const rollout = await release(stage, 'v2');
  await headgate.rolloutIn(rollout.id, ['Succeeded'], 60_000);
  const before = chat.messages.length;
  await chat.start();
  await until('chat is told', () => chat.messages.length >= before + 2, 90_000);
  const later = chat.messages.slice(before).join('\n');
  assert.match(later, /started/);
  assert.match(later, /succeeded/);
  expectNothingLost(stage);
});

story('a resource that Envoy refuses rolls back at once', async ({ stage }) => {
  const { headgate, repository, folder } = stage;
  // Nothing but Envoy itself can know that this folder is not there.
  const logging = `  logging:\n    accessLog:\n      file:\n        path: ${join(folder, 'missing', 'access.log')}\n`;
  const before = stage.files['web.yaml'] ?? '';
  await repository.commit('log to nowhere', { 'web.yaml': `${before}${logging}` });
  const rollout = await headgate.newRollout(stage.known);
  stage.known.push(rollout.id);
  const ended = await headgate.rolloutIn(rollout.id, ['RolledBack']);
  assert.match(ended.reason, /refused listener .*access\.log/);
  const { held } = await headgate.status();
  assert.is(held.length, 1);
  await expectOnly(stage, 'v2');
  await synced(headgate, stage.envoys.length);
  const commit = await repository.commit('no log', { 'web.yaml': before });
  await until(
    'the fix is applied',
    async () => (await headgate.status()).revision.applied === commit,
  );
  expectNothingLost(stage);
});

story('people can pause, resume and abort', async ({ stage }) => {
  const { headgate } = stage;
  const rollout = await release(stage, 'v4');
  await headgate.rolloutIn(rollout.id, ['Baking']);
  assert.is(await headgate.command(rollout.id, 'pause', 'lunch'), 200);
  await headgate.rolloutIn(rollout.id, ['Paused']);
  assert.is(await headgate.command(rollout.id, 'resume', ''), 200);
  assert.is(await headgate.command(rollout.id, 'abort', 'wrong one'), 200);
  await headgate.rolloutIn(rollout.id, ['Aborted']);
  await expectOnly(stage, 'v2');
  assert.is(await headgate.command(rollout.id, 'retry', 'right after all'), 200);
  const again = await headgate.newRollout(stage.known);
  stage.known.push(again.id);
  assert.is(await headgate.command(again.id, 'promote', 'sure'), 200);
  await headgate.rolloutIn(again.id, ['Succeeded']);
  await expectOnly(stage, 'v4');
});

story('not one request was lost', ({ stage }) => {
  const { sent } = stage.load.counts();
  stage.figures['requests over the whole story'] = sent;
  stage.figures['requests lost'] = stage.load.counts().lost;
  assert.ok(sent > 1000);
  expectNothingLost(stage);
});

story.run();
