/**
 * The demo's stage: a bare Git repository, three versions of a service, six Envoys, a client's load and
 * the controller, all real, all on 127.0.0.1, and all in one temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusView } from '../api/view.js';
import { type RunningApp, startApp } from '../app.js';
import { resolveSettings } from '../config.js';
import { AnswerFeed } from './answer-feed.js';
import { Board } from './board.js';
import { Controls } from './controls.js';
import { demoLogger } from './demo-log.js';
import { findEnvoy } from './envoy-binary.js';
import { Fleet, type FleetMember } from './fleet.js';
import { freePorts } from './free-ports.js';
import { type LoadClient, startLoad } from './load.js';
import { badVersion, meshFiles } from './mesh-files.js';
import { demoPage, demoPath } from './page.js';
import { createRepository, type DemoRepository } from './repository.js';
import { startService } from './services.js';
import { Watcher } from './watch.js';

export interface DemoOptions {
  /** Path of an Envoy binary; undefined: looked for, and fetched if need be. */
  readonly envoy?: string;
  /** End after the story, instead of staying for the person to try things. */
  readonly exit: boolean;
  /** How the command line is called here: `headgate`, or what finds it. */
  readonly program: string;
  /** All that is going on in one line. */
  readonly headlineOf: (status: StatusView) => string;
  /** Prints one line. */
  readonly say: (line: string) => void;
  /** Shows the page at `url` to the person; undefined where there is none with a browser. */
  readonly show?: (url: string) => void;
  /** Aborted when the person stops the demo. */
  readonly signal: AbortSignal;
}

/** Requests a second: enough for a verdict within a step of seconds. */
const requestsPerSecond = 50;

/** Versions, and how many Envoys stand before each: two, so that one may be killed. */
const versions = [
  { version: 'v1', errorShare: 0, envoys: 2 },
  { version: 'v2', errorShare: 0, envoys: 2 },
  { version: badVersion, errorShare: 0.34, envoys: 1 },
] as const;

export const chapterTitles = [
  'A good release: v1 → v2',
  `A bad release: v2 → ${badVersion}`,
  'git revert',
] as const;

export interface Stage {
  readonly repository: DemoRepository;
  readonly app: RunningApp;
  readonly load: LoadClient;
  readonly watcher: Watcher;
  readonly board: Board;
  readonly controls: Controls;
  /** Of the page with the story on it. */
  readonly pageUrl: string;
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

  const names = versions.map(({ version }) => version);
  const board = new Board({ versions: names, requestsPerSecond }, chapterTitles);
  const repository = await createRepository(folder, (ran) => board.addRan(ran));
  const app = Object.fromEntries(services.map(({ version, port }) => [version, port]));
  const first = await repository.commit('shop: first release', meshFiles({ app }));
  say(`  ✔ git repository       ${repository.bare} (main @ ${first.slice(0, 7)})`);

  const feed = new AnswerFeed(board);
  let controls: Controls | undefined;
  const page = demoPage(feed, () => controls);
  const settings = demoSettings(repository.bare, folder);
  const running = await startApp(settings, { page, logger: demoLogger(say) });
  undo.push(() => running.stop());
  undo.push(async () => feed.stop());
  const pageUrl = `${running.httpUrl}${demoPath}`;
  say(`  ✔ controller           ${running.httpUrl}   (xDS on port ${running.xds.port})`);
  say(`  Open ${pageUrl} in a browser: the story is on it as it happens.`);
  options.show?.(pageUrl);

  const startedMs = performance.now();
  const watcher = new Watcher(running.httpUrl, options.signal);
  const fleet = new Fleet({ binary, folder, xds: running.xds });
  undo.push(() => fleet.stop());
  const egressPort = await startEnvoys(fleet);
  await watcher.until('every proxy to be synced', 120_000, async () => {
    await watcher.throwIfRefused();
    const { synced } = (await watcher.status()).proxies;
    return synced === fleet.size ? true : undefined;
  });
  const readyS = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(`  ✔ ${services.length} services, ${fleet.size} Envoys   synced in ${readyS} s`);

  const load = startLoad({
    ...{ port: egressPort, host: 'checkout.shop.local', requestsPerSecond },
    onAnswer: (answer) => feed.add(answer),
  });
  undo.push(() => load.stop());
  say(`  ✔ a client             ${requestsPerSecond} requests a second through web's Envoy`);
  controls = new Controls({ board, repository, fleet });
  return { repository, app: running, load, watcher, board, controls, pageUrl, egressPort };
}

function demoSettings(repo: string, folder: string) {
  const flags = {
    repo,
    poll: '500ms',
    xds: '127.0.0.1:0',
    http: '127.0.0.1:0',
    state: join(folder, 'headgate.db'),
    cache: join(folder, 'cache'),
  };
  const { settings, problems } = resolveSettings({ flags, env: {} });
  if (settings === undefined) {
    throw new Error(`assertion failed: the demo's settings: ${JSON.stringify(problems)}`);
  }
  return settings;
}

/** The front end's Envoy, whose egress port is the result, and those before each version of checkout. */
async function startEnvoys(fleet: Fleet): Promise<number> {
  const local = (port: number) => ({ address: '127.0.0.1', port });
  const names = versions.flatMap(({ version, envoys }) =>
    Array.from({ length: envoys }, (_, index) => ({
      virtualNode: `checkout-${version}`,
      name: `checkout-${version}-${'ab'[index]}`,
    })),
  );
  const [egressPort = 0, ...ingressPorts] = await freePorts(names.length + 1);
  const members: readonly FleetMember[] = [
    { name: 'web', virtualNode: 'web', egress: local(egressPort) },
    ...names.map((name, index) => ({ ...name, ingress: local(ingressPorts[index] ?? 0) })),
  ];
  for (const member of members) {
    await fleet.start(member);
  }
  return egressPort;
}
