/**
 * Several repositories, each a real one on disk, behind one `headgate serve`: one mesh each and one mesh
 * from several, a clash, a bad commit that holds up nobody else, and a restart without Git.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RevisionView } from '../../controller/api/history-view.js';
import type { RepositoryView } from '../../controller/api/repository-view.js';
import type { ResourceView } from '../../controller/api/resource-view.js';
import type { Problem } from '../../controller/base/problem.js';
import { runMain } from '../cli/run-main.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { until } from '../support/until.js';

interface World {
  readonly folder: string;
  readonly repositories: Readonly<Record<string, TestRepository>>;
  /** Starts the controller, or starts it again with the state that it had. */
  start(): Promise<HeadgateProcess>;
}

const several = suite<{ world: World; headgate: HeadgateProcess | undefined }>(
  'several repositories',
);

several.before.each((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-several-'));
  const names = ['base', 'payments', 'other'];
  const repositories = Object.fromEntries(
    names.map((name) => [name, makeRepository(join(folder, name))]),
  );
  const config = join(folder, 'headgate.yaml');
  context.world = {
    folder,
    repositories,
    start: async () => {
      const list = names.map(
        (name) => `  - { name: ${name}, repo: ${repositories[name]?.bare}, poll: 1s }\n`,
      );
      writeFileSync(config, `repositories:\n${list.join('')}`);
      const ports = ['--http', '127.0.0.1:0', '--xds', '127.0.0.1:0'];
      const state = ['--state', join(folder, 'state.db')];
      context.headgate = await startHeadgate(['--config', config, ...ports, ...state]);
      return context.headgate;
    },
  };
});

several.after.each(async ({ world, headgate }) => {
  await headgate?.stop();
  rmSync(world.folder, { recursive: true, force: true });
});

function mesh(name: string): string {
  return `apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: ${name} }\nspec: {}\n`;
}

function node(name: string, options: { readonly mesh?: string; readonly port?: number } = {}) {
  const of = options.mesh === undefined ? '' : `, mesh: ${options.mesh}`;
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name}${of} }
spec:
  listeners: [{ portMapping: { port: ${options.port ?? 8080}, protocol: http } }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${options.port ?? 8080} }] } }
`;
}

function service(name: string, nodeName: string, meshName?: string): string {
  const of = meshName === undefined ? '' : `, mesh: ${meshName}`;
  return `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ${name}${of} }
spec: { provider: { virtualNode: { virtualNodeRef: { name: ${nodeName} } } } }
`;
}

/** The mesh `shop` from `base` and `payments`, and the mesh `lab` from `other`. */
function firstCommits({ repositories }: World): void {
  repositories.base?.commit({ 'mesh.yaml': mesh('shop'), 'web.yaml': node('web') });
  repositories.payments?.commit({ 'pay.yaml': node('pay', { mesh: 'shop' }) });
  repositories.other?.commit({ 'mesh.yaml': mesh('lab'), 'probe.yaml': node('probe') });
}

async function repository(headgate: HeadgateProcess, name: string): Promise<RepositoryView> {
  const { repositories } = await headgate.status();
  const found = repositories.find((one) => one.name === name);
  if (found === undefined) {
    throw new Error(`no repository ${name} in ${JSON.stringify(repositories)}`);
  }
  return found;
}

/** Waits until `name` has said its word on `commit`. */
async function judged(
  headgate: HeadgateProcess,
  name: string,
  commit: string,
): Promise<RepositoryView> {
  await until(`${name} to have read ${commit}`, async () => {
    return (await repository(headgate, name)).revision.attempted === commit;
  });
  return repository(headgate, name);
}

async function applied(headgate: HeadgateProcess, name: string, commit: string): Promise<void> {
  await until(`${commit} of ${name} to be applied`, async () => {
    return (await repository(headgate, name)).revision.applied === commit;
  });
}

async function nodesOf(headgate: HeadgateProcess, name: string): Promise<number | undefined> {
  const { meshes } = await headgate.status();
  return meshes.find((one) => one.name === name)?.virtualNodes;
}

async function json<T>(headgate: HeadgateProcess, path: string): Promise<T> {
  return (await (await fetch(`${headgate.url}${path}`)).json()) as T;
}

several(
  'one mesh from two and another from a third, each commit with its repository',
  async ({ world }) => {
    firstCommits(world);
    const { payments } = world.repositories;
    const headgate = await world.start();
    await until('both meshes', async () => (await headgate.status()).meshes.length === 2);
    assert.is(await nodesOf(headgate, 'shop'), 2);
    assert.is(await nodesOf(headgate, 'lab'), 1);
    const commit = payments?.commit({ 'more.yaml': node('more', { mesh: 'shop', port: 9 }) }) ?? '';
    await applied(headgate, 'payments', commit);
    assert.is(await nodesOf(headgate, 'shop'), 3);
    const [newest] = await json<RevisionView[]>(headgate, '/api/v1/revisions');
    assert.is(newest?.id, commit);
    assert.is(newest?.repository, 'payments');
    const path = '/api/v1/meshes/shop/VirtualNode/more';
    const { source } = await json<ResourceView>(headgate, path);
    assert.is(source?.repository, 'payments');
    assert.is(source?.commit, commit);
    assert.match(source?.yaml ?? '', /name: more, mesh: shop/);
    const { stdout } = await runMain(['status', '--server', headgate.url]);
    assert.match(stdout, /Repository base[\s\S]*Repository other[\s\S]*Repository payments/);
    assert.match(stdout, new RegExp(`Applied +${commit.slice(0, 7)}`));
  },
);

several('a bad commit holds up its own repository and no other', async ({ world }) => {
  firstCommits(world);
  const { base, payments, other } = world.repositories;
  const headgate = await world.start();
  await until('both meshes', async () => (await headgate.status()).meshes.length === 2);
  const bad = base?.commit({ 'web.yaml': 'kind: [\n' }) ?? '';
  const rejected = await judged(headgate, 'base', bad);
  assert.match(rejected.revision.error ?? '', /of base is rejected: base: web\.yaml:2/);
  assert.is((await headgate.status()).revision.attempted, bad, 'it speaks for all of them');
  const good = payments?.commit({ 'more.yaml': node('more', { mesh: 'shop', port: 9 }) }) ?? '';
  await applied(headgate, 'payments', good);
  assert.is(await nodesOf(headgate, 'shop'), 3, 'the last good one of base is in it');
  const elsewhere = other?.commit({ 'more.yaml': node('second', { port: 9 }) }) ?? '';
  await applied(headgate, 'other', elsewhere);
  assert.is(await nodesOf(headgate, 'lab'), 2);
  const mended = base?.commit({ 'web.yaml': node('web') }) ?? '';
  await applied(headgate, 'base', mended);
  assert.is((await repository(headgate, 'base')).revision.error, undefined);
});

several('what two repositories declare is an error that names both places', async ({ world }) => {
  firstCommits(world);
  const { payments } = world.repositories;
  const headgate = await world.start();
  await until('both meshes', async () => (await headgate.status()).meshes.length === 2);
  const clash = payments?.commit({ 'x/web.yaml': node('web', { mesh: 'shop', port: 99 }) }) ?? '';
  await judged(headgate, 'payments', clash);
  const [problem, ...rest] = await json<Problem[]>(headgate, '/api/v1/problems');
  assert.equal(rest, []);
  assert.is(problem?.code, 'HG0402');
  assert.match(
    problem?.message ?? '',
    /two repositories declare it, at web\.yaml:1 in base and at x\/web\.yaml:1 in payments, and none/,
  );
  assert.is((await repository(headgate, 'payments')).revision.desired === clash, false);
  assert.is(await nodesOf(headgate, 'shop'), 2, 'nothing of it is served');
});

several('a first clash serves neither of the two', async ({ world }) => {
  firstCommits(world);
  const { base, payments } = world.repositories;
  const clash = payments?.commit({ 'web.yaml': node('web', { mesh: 'shop', port: 99 }) }) ?? '';
  const headgate = await world.start();
  await judged(headgate, 'payments', clash);
  const { meshes } = await headgate.status();
  assert.equal(
    meshes.map(({ name }) => name),
    ['lab'],
  );
  const mended = payments?.commit({ 'web.yaml': null }) ?? '';
  await applied(headgate, 'payments', mended);
  await applied(headgate, 'base', base?.git('rev-parse', 'HEAD') ?? '');
  assert.is(await nodesOf(headgate, 'shop'), 2);
});

several('commits that need one another are taken together, in either order', async ({ world }) => {
  firstCommits(world);
  const { base, payments } = world.repositories;
  const headgate = await world.start();
  await until('both meshes', async () => (await headgate.status()).meshes.length === 2);
  const user = base?.commit({ 'svc.yaml': service('pay.shop', 'pay-v2') }) ?? '';
  const waiting = await judged(headgate, 'base', user);
  assert.match(waiting.revision.error ?? '', /base: svc\.yaml:4:\d+: error HG0401 .*pay-v2/);
  const provider = payments?.commit({ 'v2.yaml': node('pay-v2', { mesh: 'shop', port: 9 }) }) ?? '';
  await applied(headgate, 'payments', provider);
  await applied(headgate, 'base', user);
  const history = await json<RevisionView[]>(headgate, '/api/v1/revisions');
  const verdicts = history.filter(({ id }) => id === user).map(({ verdict }) => verdict);
  assert.equal(verdicts, ['accepted', 'rejected']);
  // The other way about: what is used cannot be taken away under its user.
  const removed = payments?.commit({ 'v2.yaml': null }) ?? '';
  const refused = await judged(headgate, 'payments', removed);
  assert.match(refused.revision.error ?? '', /of payments is rejected: base: svc\.yaml:4/);
  assert.is(await nodesOf(headgate, 'shop'), 3);
});

several('after a restart the last good ones are there without Git', async ({ world }) => {
  firstCommits(world);
  const { base, payments } = world.repositories;
  const first = await world.start();
  await until('both meshes', async () => (await first.status()).meshes.length === 2);
  base?.commit({ 'web.yaml': 'kind: [\n' });
  await judged(first, 'base', base?.git('rev-parse', 'HEAD') ?? '');
  await first.stop('SIGKILL');
  // The head of `base` is bad, and `other` cannot be reached at all.
  renameSync(join(world.folder, 'other'), join(world.folder, 'gone'));
  const good = payments?.commit({ 'more.yaml': node('more', { mesh: 'shop', port: 9 }) }) ?? '';
  const second = await world.start();
  await applied(second, 'payments', good);
  assert.is(await nodesOf(second, 'shop'), 3);
  assert.is(await nodesOf(second, 'lab'), 1);
  const lost = await repository(second, 'other');
  assert.is(lost.source.state, 'failing');
  assert.ok(lost.revision.applied !== null, 'what is served of it is still known');
  assert.is((await second.status()).source.state, 'failing', 'it speaks for all of them');
  renameSync(join(world.folder, 'gone'), join(world.folder, 'other'));
  await until(
    'other to answer',
    async () => (await repository(second, 'other')).source.state === 'ok',
  );
});

several('a new mesh waits for a repository that may have a part of it', async ({ world }) => {
  firstCommits(world);
  renameSync(join(world.folder, 'payments'), join(world.folder, 'gone'));
  const headgate = await world.start();
  const base = world.repositories.base?.git('rev-parse', 'HEAD') ?? '';
  const waiting = await judged(headgate, 'base', base);
  assert.match(
    waiting.revision.error ?? '',
    /HG0702 mesh shop is new, and repository payments, which may have a part of it, could not be read yet/,
  );
  assert.equal((await headgate.status()).meshes, []);
  renameSync(join(world.folder, 'gone'), join(world.folder, 'payments'));
  await applied(headgate, 'base', base);
  assert.is(await nodesOf(headgate, 'shop'), 2);
});

several.run();
