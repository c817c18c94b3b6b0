/**
 * A controller that is killed and started anew on the same state, with a rollout on its way: one proxy that
 * remembers every weight it was given, and a receiver of notifications that remembers every id.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Failpoint, failpoints } from '../../controller/base/failpoint.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository } from '../../controller/demo/repository.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { LightProxy } from '../support/light-proxy.js';
import { policyYaml } from '../support/policy-yaml.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';

/** Nobody has to say anything: a rollout ends by itself, step by step as the proxy acknowledges. */
const policy = policyYaml({
  name: 'by-itself',
  steps: [
    '{ progress: 10, bake: 0s }',
    '{ progress: 50, bake: 0s }',
    '{ progress: 100, bake: 0s }',
  ],
  fields: ['noData: pass'],
});

/** What the policy lets the new version have, of 10,000; first what it had before. */
const legalShares = [0, 1000, 5000, 10_000];

export interface KilledStage {
  /** Starts it on the state that is there; undefined where it ended before it served. */
  start(env?: Readonly<Record<string, string>>): Promise<HeadgateProcess | undefined>;
  /** The same, of one that is not to be killed. */
  startWhole(): Promise<HeadgateProcess>;
  /** Connects the proxy to it. */
  connect(to: HeadgateProcess): void;
  /** Commits a release of the version that is not served. */
  release(): Promise<void>;
  /** The release's rollout on `controller`, once there is one. */
  rolloutOn(controller: HeadgateProcess): Promise<{ readonly id: string; readonly phase: string }>;
  /**
   * Waits until the release is served in full on `controller`, and fails unless every weight on the way was
   * one of the policy's and none went back, each move is in the history once, and what people are told came.
   */
  expectWhole(controller: HeadgateProcess): Promise<void>;
}

/** `database`: its URL; undefined: the state is a file. */
export async function openKilledStage(undo: Undo, database?: string): Promise<KilledStage> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-killed-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const state = database ?? join(folder, 'state.db');
  const received: { readonly id: string; readonly event: string; readonly rollout: string }[] = [];
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) {
      body += String(chunk);
    }
    received.push(JSON.parse(body));
    response.end('ok');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  const { port } = receiver.address() as AddressInfo;
  const config = join(folder, 'headgate.yaml');
  await writeFile(
    config,
    `notifications:\n  webhooks:\n    - { name: audit, url: http://127.0.0.1:${port}/ }\n`,
  );
  const repository = await createRepository(folder);
  const ports = { v1: 20001, v2: 20002 };
  await repository.commit('first release', {
    ...meshFiles({ checkout: ports, app: ports }),
    'policy.yaml': policy,
  });
  const proxy = new LightProxy('mesh/shop/virtualNode/web', {
    metadata: { 'headgate.egress': { address: '127.0.0.1', port: 15001 } },
    reconnects: true,
  });
  undo.push(() => proxy.disconnect());
  const known: string[] = [];
  let target = 'v1';
  let heldBefore = 0;
  let last: HeadgateProcess | undefined;
  const start: KilledStage['start'] = async (env = {}) => {
    // One of a test that failed would go on with the state of the next.
    await last?.stop('SIGKILL');
    const started = await startHeadgate(
      [
        ...['--repo', repository.bare, '--poll', '200ms', '--config', config],
        ...['--cache', join(folder, 'cache.git')],
        ...(state.startsWith('postgres') ? ['--replica', 'a', '--lease', '2s'] : []),
        ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0', '--drain', '0s'],
      ],
      { HEADGATE_STATE: state, NODE_ENV: 'test', ...env },
    ).catch((error: unknown) => {
      // Killed before it served; what ended it otherwise is no part of the test.
      if (!String(error).includes('headgate ended with SIGKILL')) {
        throw error;
      }
      return undefined;
    });
    last = started;
    return started;
  };
  undo.push(() => last?.stop('SIGKILL'));
  const first = await start();
  assert.ok(first, 'it starts');
  await until('the first release is served', async () => {
    const { revision } = await first.status();
    return typeof revision.applied === 'string' && revision.applied === revision.desired;
  });
  await first.stop();
  return {
    start,
    async startWhole() {
      const started = await start();
      assert.ok(started, 'it starts where nothing kills it');
      return started;
    },
    connect: (to) => proxy.connect(to.xds),
    async release() {
      target = target === 'v1' ? 'v2' : 'v1';
      heldBefore = proxy.weightsHeld.length;
      await repository.commit(`release ${target}`, { [routeFile]: checkout(target) });
    },
    rolloutOn: (controller) => controller.newRollout(known),
    async expectWhole(controller) {
      const { id } = await controller.newRollout(known);
      await controller.rolloutIn(id, ['Succeeded']);
      known.push(id);
      await proxy.untilHeld(`all of ${target}`, () => shareIn(proxy.weights()) === 10_000);
      const shares = proxy.weightsHeld.slice(heldBefore).map(shareIn);
      assert.ok(
        shares.every((share) => legalShares.includes(share)),
        `${id}: ${shares}`,
      );
      assert.equal(
        shares,
        [...shares].sort((left, right) => left - right),
        `${id} went back`,
      );
      const moves = await movesOf(controller, id);
      assert.equal(moves, [...new Set(moves)], `${id} made a move twice`);
      await until('people are told of the end', () => eventsOf(id).includes('rollout.succeeded'));
      const ids = received.filter(({ rollout }) => rollout === id).map((one) => one.id);
      for (const one of new Set(ids)) {
        const times = ids.filter((other) => other === one).length;
        assert.ok(times <= 2, `${one} came ${times} times, and at most one crash was on its way`);
      }
    },
  };

  function shareIn(weights: string): number {
    return Number(new RegExp(`checkout-${target}=(\\d+)`).exec(weights)?.[1] ?? 0);
  }

  function eventsOf(rollout: string): readonly string[] {
    return received.filter((one) => one.rollout === rollout).map(({ event }) => event);
  }
}

/** Only where there can be other replicas is there a lease, and something to follow. */
const ofReplicas: readonly Failpoint[] = ['lease.taken', 'lease.released', 'follow.read'];
const ofStore = failpoints.filter((point) => point.startsWith('store.'));
const ofWorld = failpoints.filter((point) => ![...ofReplicas, ...ofStore].includes(point));

/** The borders to the state, to other replicas, and to the network and people. */
export const borders = {
  store: timesOf(ofStore),
  replicas: timesOf(ofReplicas),
  world: timesOf(ofWorld),
} as const;

/** When each kills, as `name:time`: first while it starts; what comes often also in mid-rollout. */
function timesOf(points: readonly Failpoint[]): readonly string[] {
  return points.flatMap((point) => {
    const isOften = point.startsWith('store.commit') || point.startsWith('loop');
    return (isOften ? [1, 3] : [1]).map((time) => `${point}:${time}`);
  });
}

/** Kills the controller at `failpoint` of a release, and has the next one take that to its end. */
export async function killAt(stage: KilledStage, failpoint: string): Promise<void> {
  const armed = await stage.start({ HEADGATE_FAILPOINT: failpoint });
  if (armed !== undefined) {
    stage.connect(armed);
  }
  await stage.release();
  if (armed !== undefined) {
    if (failpoint.startsWith('lease.released')) {
      await stage.rolloutOn(armed).catch(() => undefined);
      armed.signal('SIGTERM');
    }
    await until(`killed at ${failpoint}`, () => !armed.isRunning());
  }
  await endWith(stage);
}

/** A last start, which nothing kills, takes the rollout to its end. */
export async function endWith(stage: KilledStage): Promise<void> {
  const controller = await stage.startWhole();
  stage.connect(controller);
  await stage.expectWhole(controller);
  await controller.stop();
}

/** Every change of phase or step in the history of one rollout. */
async function movesOf(controller: HeadgateProcess, id: string): Promise<readonly string[]> {
  const response = await fetch(`${controller.url}/api/v1/history?rollout=${id}&limit=500`);
  const entries = (await response.json()) as readonly {
    readonly kind: string;
    readonly data?: { readonly phase?: string; readonly step?: number };
  }[];
  return entries.flatMap(({ kind, data }) =>
    kind === 'rollout' ? [`${data?.phase} ${data?.step}`] : [],
  );
}
