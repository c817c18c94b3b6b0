/**
 * Releases to gRPC clients without a proxy, with everything real: a Git repository, `headgate serve` in its
 * own process, and clients of grpc-js and of Python, whose own load reports are all that the gates have.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import {
  type Answers,
  type GrpcClient,
  startGrpcio,
  startGrpcJs,
} from '../support/grpc-clients.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { startNamedGrpc } from '../support/named-grpc.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import { ratingsMesh } from '../support/ratings-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const test = suite('releases to gRPC clients');
const undo: Undo = [];

/** v3 is the bad one. */
const versions = [
  { name: 'v1', failEvery: 0 },
  { name: 'v2', failEvery: 0 },
  { name: 'v3', failEvery: 3 },
];

/** The second step waits for a person, so that the first can be looked at as long as it takes. */
const policy = policyYaml({
  name: 'careful',
  steps: ['{ progress: 25, bake: 1s }', '{ progress: 100, bake: 1s, approval: true }'],
  gates: [successGate('5s', 15)],
});

type ClientName = 'grpc-js' | 'grpcio';

interface Stage {
  readonly repository: DemoRepository;
  readonly headgate: HeadgateProcess;
  readonly ports: readonly number[];
  readonly clients: Readonly<Record<ClientName, GrpcClient>>;
  /** From now on `name` alone calls in the background, so that its reports alone are there to judge by. */
  letCall(name: ClientName): void;
  /** All answers to the calls in the background since it was asked last. */
  answersSince(): Answers;
}

function release(ports: readonly number[], version: string): string {
  const nodes = ports.map((port, index) => ({
    port,
    weight: versions[index]?.name === version ? 100 : 0,
  }));
  return ratingsMesh(nodes, [policy]);
}

async function setUp(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-grpc-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const servers = await Promise.all(
    versions.map(({ name, failEvery }) => startNamedGrpc(name, failEvery)),
  );
  undo.push(() => servers.map((server) => server.stop()));
  const ports = servers.map(({ port }) => port);
  const repository = await createRepository(folder);
  await repository.commit('first release', { 'mesh.yaml': release(ports, 'v1') });
  const headgate = await startHeadgate([
    ...['--repo', repository.bare, '--poll', '200ms', '--state', join(folder, 'headgate.db')],
    ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'],
  ]);
  undo.push(() => headgate.stop());
  await until('the first release is applied', async () => {
    const { revision } = await headgate.status();
    return revision.applied !== null && revision.applied !== undefined;
  });
  const clients = {
    'grpc-js': await startGrpcJs(headgate.xds),
    grpcio: await startGrpcio(headgate.xds),
  };
  undo.push(() => Promise.all(Object.values(clients).map((client) => client.stop())));
  const background: Record<string, number> = {};
  let caller: ClientName | undefined = 'grpc-js';
  const load = async () => {
    while (caller !== undefined) {
      for (const [name, count] of Object.entries(await clients[caller].ask(10))) {
        background[name] = (background[name] ?? 0) + count;
      }
    }
  };
  const loading = load();
  // Told at the end, when it is waited for.
  loading.catch(() => {});
  undo.push(() => {
    caller = undefined;
    return loading;
  });
  const letCall = (name: ClientName) => {
    caller = name;
  };
  const answersSince = () => {
    const taken = { ...background };
    for (const name of Object.keys(background)) {
      delete background[name];
    }
    return taken;
  };
  return { repository, headgate, ports, clients, letCall, answersSince };
}

const stage = await openStage(test, undo, setUp);

const known: string[] = [];

/** Commits the release of `version`; the rollout that comes of it. */
async function commit(version: string): Promise<string> {
  const files = { 'mesh.yaml': release(stage.ports, version) };
  await stage.repository.commit(`release ${version}`, files);
  const { id } = await stage.headgate.newRollout(known);
  known.push(id);
  return id;
}

const each = Object.entries(stage.clients) as readonly (readonly [ClientName, GrpcClient])[];

test('both find the service by its name', async () => {
  for (const [name, client] of each) {
    assert.equal(await client.ask(20), { v1: 20 }, name);
  }
});

test('a good release, on the reports of grpc-js: a share of the calls of both, then all, and none lost', async () => {
  stage.letCall('grpc-js');
  stage.answersSince();
  const id = await commit('v2');
  const waiting = await stage.headgate.rolloutIn(id, ['WaitingForApproval', 'RolledBack'], 60_000);
  assert.is(waiting.phase, 'WaitingForApproval', waiting.reason);
  for (const [name, client] of each) {
    const { v1 = 0, v2 = 0, ...others } = await client.ask(400);
    assert.equal(others, {}, name);
    // Of 400 at a quarter, 57 to 143 are five standard deviations.
    assert.ok(v1 + v2 === 400 && v2 >= 57 && v2 <= 143, `${name}: ${v2} of 400 went to v2`);
  }
  assert.is(await stage.headgate.command(id, 'approve', 'looks good'), 200);
  const ended = await stage.headgate.rolloutIn(id, ['Succeeded', 'RolledBack'], 60_000);
  assert.is(ended.phase, 'Succeeded', ended.reason);
  for (const [name, client] of each) {
    await until(`${name} calls v2 alone`, async () => (await client.ask(50)).v2 === 50);
  }
  const { v1 = 0, v2 = 0, ...others } = stage.answersSince();
  assert.equal(others, {}, 'no call was lost');
  process.stdout.write(`  figures ${JSON.stringify({ calls: v1 + v2, lost: 0 })}\n`);
});

test('a bad release, on the reports of grpcio: both come back', async () => {
  stage.letCall('grpcio');
  const id = await commit('v3');
  const phases = ['WaitingForApproval', 'Succeeded', 'RolledBack'];
  const ended = await stage.headgate.rolloutIn(id, phases, 60_000);
  assert.is(ended.phase, 'RolledBack', ended.reason);
  assert.match(ended.reason, /gate success failed: success rate [\d.]+% < 99%/);
  const { INTERNAL = 0 } = stage.answersSince();
  assert.ok(INTERNAL > 0, 'its failures were seen');
  for (const [name, client] of each) {
    await until(`${name} calls v2 alone`, async () => (await client.ask(50)).v2 === 50);
  }
});

test('both are shown as proxies that are in sync', async () => {
  const proxies = (await (await fetch(`${stage.headgate.url}/api/v1/proxies`)).json()) as {
    readonly node: string;
    readonly userAgent: string;
    readonly state: string;
  }[];
  assert.equal(
    proxies.map(({ node, state }) => `${node} ${state}`),
    each.map(() => 'mesh/books/virtualNode/web synced'),
  );
  assert.is(new Set(proxies.map(({ userAgent }) => userAgent)).size, 2);
});

test.run();
