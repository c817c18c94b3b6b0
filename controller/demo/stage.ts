/**
 * The demo's stage: a bare Git repository, three versions of a service, four Envoys, a client's load and
 * the controller, all real, all on 127.0.0.1, and all in one temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApp, startApp } from '../app.js';
import { resolveSettings } from '../config.js';
import { findEnvoy } from './envoy-binary.js';
import { startEnvoy } from './envoys.js';
import { freePorts } from './free-ports.js';
import { type LoadClient, startLoad } from './load.js';
import { meshFiles } from './mesh-files.js';
import { createRepository, type DemoRepository } from './repository.js';
import { startService } from './services.js';
import { Watcher } from './watch.js';

export interface DemoOptions {
  /** Path of an Envoy binary; undefined: looked for, and fetched if need be. */
  readonly envoy?: string;
  /** End after the story, instead of staying for the person to try things. */
  readonly exit: boolean;
  /** Prints one line. */
  readonly say: (line: string) => void;
  /** Aborted when the person stops the demo. */
  readonly signal: AbortSignal;
}

/** Requests a second: enough for a verdict within a step of seconds. */
const requestsPerSecond = 50;

const versions = [
  { version: 'v1', errorShare: 0 },
  { version: 'v2', errorShare: 0 },
  { version: 'v3', errorShare: 0.3 },
] as const;

export interface Stage {
  readonly repository: DemoRepository;
  readonly app: RunningApp;
  readonly load: LoadClient;
  readonly watcher: Watcher;
  readonly egressPort: number;
}

/** Builds the stage; `undo` gets what takes it down again, in the order of building, also on failure. */
export async function setUp(
  options: DemoOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Stage> {
  const { say } = options;
  const binary = await findEnvoy({ flag: options.envoy, env: process.env, say });
  say(`  ✔ envoy                ${binary}`);
  const folder = await mkdtemp(join(tmpdir(), 'headgate-demo-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));

  const services = await Promise.all(
    versions.map(({ version, errorShare }) => startService(version, errorShare)),
  );
  undo.push(() => Promise.all(services.map((service) => service.stop())));

  const [egressPort = 0, ...ingressPorts] = await freePorts(versions.length + 1);
  const checkoutPorts = Object.fromEntries(
    versions.map(({ version }, index) => [version, ingressPorts[index] ?? 0]),
  );
  const repository = await createRepository(folder);
  const appPorts = Object.fromEntries(services.map(({ version, port }) => [version, port]));
  const files = meshFiles({ checkout: checkoutPorts, app: appPorts });
  const first = await repository.commit('shop: first release', files);
  say(`  ✔ git repository       ${repository.bare} (main @ ${first.slice(0, 7)})`);

  const app = await startApp(demoSettings(repository.bare, folder));
  undo.push(() => app.stop());
  say(`  ✔ controller           ${app.httpUrl}   (xDS on port ${app.xds.port})`);
  say(`  Open ${app.httpUrl}/ in a browser: the story is on it as it happens.`);

  const startedMs = performance.now();
  const watcher = new Watcher(app.httpUrl, options.signal);
  const ports = { checkout: checkoutPorts, egress: egressPort };
  const proxies = await startEnvoys(binary, folder, app, ports, undo);
  await watcher.until('every proxy to be synced', 30_000, async () => {
    const { synced } = (await watcher.status()).proxies;
    return synced === proxies ? true : undefined;
  });
  const readyS = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(`  ✔ 3 services, ${proxies} Envoys   synced in ${readyS} s`);

  const load = startLoad({ port: egressPort, host: 'checkout.shop.local', requestsPerSecond });
  undo.push(() => load.stop());
  say(`  ✔ a client             ${requestsPerSecond} requests a second through web's Envoy`);
  return { repository, app, load, watcher, egressPort };
}

function demoSettings(repo: string, folder: string) {
  const flags = {
    repo,
    poll: '500ms',
    xds: '127.0.0.1:0',
    http: '127.0.0.1:0',
    state: join(folder, 'headgate.db'),
    cache: join(folder, 'cache'),
    logLevel: 'error',
  };
  const { settings, problems } = resolveSettings({ flags, env: {} });
  if (settings === undefined) {
    throw new Error(`assertion failed: the demo's settings: ${JSON.stringify(problems)}`);
  }
  return settings;
}

/**
 * The front end's Envoy with an egress port, and one before each version of checkout; the result is how
 * many.
 */
async function startEnvoys(
  binary: string,
  folder: string,
  app: RunningApp,
  ports: { readonly checkout: Readonly<Record<string, number>>; readonly egress: number },
  undo: (() => Promise<unknown>)[],
): Promise<number> {
  const local = (port: number) => ({ address: '127.0.0.1', port });
  const proxies = [
    { name: 'web', egress: local(ports.egress) },
    ...Object.entries(ports.checkout).map(([version, port]) => ({
      name: `checkout-${version}`,
      ingress: local(port),
    })),
  ];
  for (const proxy of proxies) {
    const nodeId = `mesh/shop/virtualNode/${proxy.name}`;
    const envoy = await startEnvoy({ ...proxy, binary, folder, nodeId, xds: app.xds });
    undo.push(() => envoy.stop());
  }
  return proxies.length;
}
