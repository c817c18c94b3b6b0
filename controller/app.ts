/**
 * The program: builds every adapter and the loop, starts them so that what was served is served again
 * before anything else happens, and stops them in reverse. The only file that knows all adapters.
 */
import { openAccess } from './access/open-access.js';
import { createAdmission } from './admission/admission.js';
import { type Api, createApi } from './api/api.js';

import type { PageOptions } from './api/dashboard-files.js';
import { type Engine, isReplicated, openEngine, replicaName } from './app/engine.js';
import { seededRandom } from './base/random.js';
import { onlyRepository } from './base/revision.js';

import { type HostPort, renderHostPort } from './base/socket-address.js';
import { createSecretFolder } from './certificates/secret-folder.js';
import { readSecretVariables, withVariables } from './certificates/secret-variables.js';
import { createClock } from './clock.js';
import type { HookProvider, HookSettings } from './config/hooks.js';
import type { RepositorySettings } from './config/repositories.js';
import type { SecretSource } from './config/secret-source.js';
import type { Settings } from './config.js';
import { parseNode } from './envoy/identity.js';
import { createRevisionShelf, type RevisionShelf } from './git/revision-shelf.js';
import { createLogger, lostLines } from './log.js';
import type { LoopEvent } from './loop/events.js';
import { loadSamples, statsSamples } from './loop/load-samples.js';
import type { Clock, Logger, PublisherEvent } from './loop/ports.js';
import { audienceOf } from './notify/create-sink.js';
import { notificationsFor } from './notify/notification.js';
import { readSecret } from './secrets.js';
import { countEvents } from './telemetry/count-events.js';
import { logMoves } from './telemetry/log-moves.js';
import { createMetrics } from './telemetry/metrics.js';
import { observeAll } from './telemetry/observer.js';
import { openTracing, wantsTraces, withTraceIds } from './telemetry/open-tracing.js';
import { programVersion } from './version.js';
import { createXdsServer } from './xds/publisher.js';

export interface RunningApp {
  readonly xds: HostPort;
  readonly http: HostPort;
  /** `http://127.0.0.1:8080`. */
  readonly httpUrl: string;
  /** Asks the repository now instead of at the next poll. */
  pollNow(): void;
  /** Ends everything within about `drainMs`; proxies keep what they have. */
  stop(): Promise<void>;
}

/** What can be given to `startApp` instead of the real thing. */
export interface AppOverrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Served in the dashboard's place: the demo's. */
  readonly page?: PageOptions;
}

/**
 * Starts the controller.
 * @throws OpError where the state cannot be opened, a port is taken or a setting is refused; whatever
 * was started by then is stopped again.
 */
export async function startApp(
  settings: Settings,
  overrides: AppOverrides = {},
): Promise<RunningApp> {
  const undo: (() => Promise<void>)[] = [];
  try {
    return await start(settings, overrides, undo);
  } catch (error) {
    await runBackwards(undo);
    throw error;
  }
}

async function start(
  settings: Settings,
  overrides: AppOverrides,
  undo: (() => Promise<void>)[],
): Promise<RunningApp> {
  const clock = overrides.clock ?? createClock();
  const plainLogger = overrides.logger ?? createLogger(settings);
  const logger = countEvents(wantsTraces(process.env) ? withTraceIds(plainLogger) : plainLogger);
  // Jitter need not repeat from run to run, only within a test, which brings its own clock.
  const random = seededRandom(clock.now());
  const { drainMs } = settings;
  const replica = replicaName(settings);

  const access = openAccess(settings.access, settings.publicUrl);
  const admission =
    settings.xdsAdmission && createAdmission(settings.xdsAdmission, { clock, logger });
  undo.push(async () => admission?.stop());
  const xds = createXdsServer(
    {
      listen: settings.xds,
      loadReportIntervalMs: settings.loadReportIntervalMs,
      idSuffix: isReplicated(settings) ? `@${replica}` : '',
    },
    {
      clock,
      logger,
      admission,
      identify: parseNode,
      onEvent: (event) => {
        if (event.kind === 'proxyAcked') {
          observer.acked(event.proxy, clock.now());
        }
        engine.enqueue(toLoopEvent(event));
      },
    },
  );
  const toLoopEvent = (event: PublisherEvent): LoopEvent => {
    switch (event.kind) {
      case 'loadReported':
        return { ...event, samples: loadSamples(event.report, engine.current(), clock.now()) };
      case 'statsReported':
        return { kind: event.kind, ...statsSamples(event.report, engine.current(), clock.now()) };
      default:
        return event;
    }
  };
  const waitingFor = (generation: number) => () =>
    xds.proxies().filter((proxy) => proxy.ackedGeneration < generation);
  const proxies = () => [...xds.proxies(), ...engine.remoteProxies()];
  const ready = () => [
    { name: 'snapshot', isOk: engine.current().generation > 0 },
    // All replicas lose their database at once: none of them would be ready, and each still serves.
    ...(engine.replicas === undefined ? [{ name: 'store', isOk: engine.isStoring() }] : []),
    { name: 'xds', isOk: true },
  ];
  const metrics = createMetrics({
    version: programVersion(),
    moment: () => ({ state: engine.current(), proxies: proxies(), nowMs: clock.now() }),
    replicas: () => engine.replicas?.(),
    ready,
    events: logger.counts,
    xds,
    sinks: () => engine.sinks(),
    lostLines,
    certificates: () => [...secretSource.expiries(), ...(admission?.expiries() ?? [])],
  });
  const tracing = await openTracing(process.env, { version: programVersion(), logger });
  undo.push(async () => tracing?.stop());
  const observer = observeAll([metrics, ...(tracing ? [tracing.observer] : [])], (error) =>
    logger.error('telemetry.broken', { error }),
  );
  const shelves = openShelves(settings.repositories, clock);
  let api: Api | undefined;
  const audiences = settings.notifications.map(audienceOf);
  const engine: Engine = await openEngine(settings, {
    ...{ clock, logger, random, observer, replica },
    onRevision: (revision) => shelves.get(revision.repository ?? onlyRepository)?.keep(revision),
    readSecret: readSecretNow,
    publisher: {
      proxies: xds.proxies,
      publish: (publication) => {
        xds.publish(publication);
        observer.published(publication.generation, waitingFor(publication.generation), clock.now());
      },
    },
    notificationsFor: (announcement) => notificationsFor(announcement, audiences),
    onState: (state, announcements, before) => {
      logMoves(before, state, announcements, logger);
      observer.moved(before, state, clock.now());
      api?.stateChanged(state);
    },
    onHandled: observer.handled,
  });
  undo.push(() => engine.close());
  const secretFolder =
    settings.secrets === undefined
      ? undefined
      : createSecretFolder(settings.secrets, { clock, logger });
  const variables = readSecretVariables(settings.secretVariables, { env: process.env, logger });
  const secretSource = withVariables(secretFolder, variables);
  const secrets = await secretSource.start((changed) =>
    engine.enqueue({ kind: 'secretsChanged', secrets: changed }),
  );
  undo.push(() => secretSource.stop());
  // Served before anything listens: the first proxy that connects finds what it had.
  await engine.start(secrets);

  const xdsAddress = await xds.start();
  undo.push(() => xds.stop(drainMs));
  // Stopped first: streams that we end ourselves are no news of the proxies.
  undo.push(() => engine.stop());
  api = createApi({
    listen: settings.http,
    state: () => engine.current(),
    proxies,
    replicas: engine.replicas,
    metrics: metrics.scrape,
    version: programVersion(),
    command: (command) => engine.command(command),
    history: engine.history,
    hooks: {
      secrets: readSecrets(settings.hooks),
      repositories: new Map(
        settings.repositories.map(({ name, hooks }) => [name, readSecrets(hooks)] as const),
      ),
      pollNow: (repository) => engine.pollNow(repository),
    },
    access,
    proxyResources: (id) => xds.resources(id),
    revisions: {
      newest: (id, repository) => shelves.get(repository)?.newest(id),
      find: async (id, repository) => shelves.get(repository)?.find(id),
    },
    ready,
    clock,
    logger,
    page: overrides.page,
  });
  const httpAddress = await api.start();
  undo.push(() => api.stop(drainMs));
  await engine.join({ xds: xdsAddress, http: httpAddress });
  const httpUrl = `http://${renderHostPort(httpAddress)}`;
  logger.info('headgate.started', { xds: renderHostPort(xdsAddress), http: httpUrl });
  return {
    xds: xdsAddress,
    http: httpAddress,
    httpUrl,
    pollNow: () => engine.pollNow(),
    stop: () => runBackwards(undo),
  };
}

async function runBackwards(undo: (() => Promise<void>)[]): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await step();
  }
}

function openShelves(
  repositories: readonly RepositorySettings[],
  clock: Clock,
): ReadonlyMap<string, RevisionShelf> {
  return new Map(
    repositories.map(({ name, repo, path, git }) => [
      name,
      createRevisionShelf({ repo, path, credentials: git }, { clock }),
    ]),
  );
}

/** The secret of each hook that has one. */
function readSecrets(hooks: HookSettings): Readonly<Partial<Record<HookProvider, string>>> {
  return Object.fromEntries(
    Object.entries(hooks).map(([provider, source]) => [provider, readSecret(source, process.env)]),
  );
}

function readSecretNow(source: SecretSource): string {
  return readSecret(source, process.env);
}
