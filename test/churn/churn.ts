/**
 * Real Envoys under load while the mesh that they serve changes at random: what `world.ts` draws is
 * published, sometimes several states at once, and their connections to the xDS server are reset now and
 * then. Services are called from when every Envoy has acknowledged them until before one is taken away, and
 * no such call may be lost.
 */
import { Agent, request } from 'node:http';
import { present } from '../../controller/base/assert.js';
import { seededRandom } from '../../controller/base/random.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp } from '../support/apps.js';
import { startEnvoy } from '../support/envoy.js';
import { startRelay } from '../support/raw-http2.js';
import { type ServedMesh, serveMesh } from '../support/served-mesh.js';
import { until } from '../support/until.js';
import { changed, emptyWorld, hostOf, type World, yamlOf } from './world.js';

export interface ChurnOptions {
  readonly seed: number;
  /** Asked after each publication. */
  isOver(changes: number): boolean;
}

export interface ChurnResult {
  readonly changes: number;
  /** States that were published: one in five has several changes. */
  readonly publications: number;
  readonly reconnects: number;
  readonly requests: number;
  /** What came instead of 200, with the service and the change after which it was. */
  readonly lost: readonly string[];
}

const appCount = 6;
/** One Envoy a variant of the protocol. */
const callers = ['web-delta', 'web-sotw'] as const;
const callsAtOnce = 4;

export async function churn({ seed, isOver }: ChurnOptions): Promise<ChurnResult> {
  const random = seededRandom(seed);
  const undo: (() => unknown)[] = [];
  try {
    const apps = await Promise.all(
      Array.from({ length: appCount }, () =>
        startHttpApp((_request, response) => response.end('ok')),
      ),
    );
    undo.push(...apps.map((app) => () => app.stop()));
    const ports = apps.map(({ port }) => port);
    let world = draw(emptyWorld, 8);
    const mesh = await serveMesh(yamlOf(world, callers, ports));
    undo.push(() => mesh.stop());
    const relay = await startRelay(mesh.xds);
    undo.push(() => relay.close());
    const egress = await freePorts(callers.length);
    for (const [index, name] of callers.entries()) {
      const port = present(egress[index], 'a port');
      const envoy = await startEnvoy(
        renderBootstrap({
          nodeId: `mesh/churn/virtualNode/${name}`,
          xds: [relay.target],
          protocol: name === 'web-sotw' ? 'sotw' : 'delta',
          egress: { address: '127.0.0.1', port },
        }),
      );
      undo.push(() => envoy.stop());
      await envoy.waitUntilLive();
    }
    await mesh.publish(yamlOf(world, callers, ports));
    const load = startLoad(egress, namesIn(world));
    undo.push(() => load.stop());
    let [changes, publications, reconnects] = [0, 0, 0];
    while (!isOver(changes)) {
      const next = [world];
      for (let count = random() < 0.3 ? 4 : 1; count > 0; count -= 1) {
        const changesAtOnce = random() < 0.2 ? 5 : 1;
        next.push(draw(present(next.at(-1), 'a state'), changesAtOnce));
        changes += changesAtOnce;
      }
      load.at(`change ${changes}`);
      const kept = namesIn(world).filter((name) =>
        next.every(({ services }) => services.some((service) => service.name === name)),
      );
      await load.callOnly(kept);
      for (const state of next.slice(1)) {
        mesh.publishChanged(yamlOf(state, callers, ports), (snapshot) => snapshot);
        publications += 1;
      }
      let gone: readonly string[] = [];
      if (random() < 0.05) {
        gone = mesh.proxies().map(({ id }) => id);
        relay.reset();
        reconnects += 1;
      }
      world = present(next.at(-1), 'a state');
      await untilBack(mesh, gone);
      await mesh.publish(yamlOf(world, callers, ports));
      await load.callOnly(namesIn(world));
      await load.more(20);
    }
    const { requests, lost } = await load.stop();
    return { changes, publications, reconnects, requests, lost };
  } finally {
    for (const step of undo.reverse()) {
      await step();
    }
  }

  function draw(from: World, times: number): World {
    let drawn = from;
    for (let count = 0; count < times; count += 1) {
      drawn = changed(drawn, random, appCount);
    }
    return drawn;
  }
}

/** Resolves once every caller is connected, on another stream than those of `gone`. */
async function untilBack(mesh: ServedMesh, gone: readonly string[]): Promise<void> {
  await until('the Envoys are back', () => {
    const ids = mesh.proxies().map(({ id }) => id);
    return ids.length === callers.length && !ids.some((id) => gone.some((one) => one === id));
  });
}

function namesIn({ services }: World): readonly string[] {
  return services.map(({ name }) => name);
}

/** Calls the services over all of `ports`, a few at a time. */
function startLoad(ports: readonly number[], names: readonly string[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: callsAtOnce });
  const lost: string[] = [];
  const underWay = new Set<Promise<void>>();
  let called = names;
  let [requests, turn, isOn, when] = [0, 0, true, 'the start'];
  let wake = (): void => {};
  const call = async (port: number): Promise<void> => {
    turn += 1;
    const name = present(called[turn % called.length], 'a service to call');
    const path = turn % 3 === 0 ? '/special' : '/';
    const answer = await callOnce({ port, host: hostOf(name), path, agent });
    requests += 1;
    if (answer !== '200') {
      lost.push(`${name}${path} over ${port}: ${answer} after ${when}`);
    }
    wake();
  };
  const run = async (port: number): Promise<void> => {
    while (isOn) {
      if (called.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const one = call(port);
      underWay.add(one);
      await one;
      underWay.delete(one);
    }
  };
  const runs = Promise.all(
    ports.flatMap((port) => Array.from({ length: callsAtOnce }, () => run(port))),
  );
  return {
    at(what: string) {
      when = what;
    },
    /** Resolves once no call to another service is under way. */
    async callOnly(next: readonly string[]): Promise<void> {
      called = next;
      await Promise.all(underWay);
    },
    /** Resolves once so many more calls were answered. */
    async more(count: number): Promise<void> {
      const until = requests + count;
      while (requests < until && called.length > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async stop() {
      isOn = false;
      await runs;
      agent.destroy();
      return { requests, lost };
    },
  };
}

interface Call {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly agent: Agent;
}

function callOnce({ port, host, path, agent }: Call): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path, headers: { host }, agent },
      (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve(response.statusCode === 200 ? '200' : `${response.statusCode} ${body}`),
        );
        response.on('error', (error) => resolve(String(error)));
      },
    );
    sent.on('error', (error) => resolve(String(error)));
    sent.end();
  });
}
