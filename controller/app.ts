/**
 * The program: builds every adapter and the loop, starts them so that what was served is served again
 * before anything else happens, and stops them in reverse. The only file that knows all adapters.
 */
import { openAccess } from './access/open-access.js';
import { createAdmission } from './admission/admission.js';
import { type Api, createApi } from './api/api.js';
import type { PageOptions } from './api/dashboard-files.js';
import { startSource } from './app/start-source.js';
import { seededRandom } from './base/random.js';
import { type HostPort, renderHostPort } from './base/socket-address.js';
import { createSecretFolder } from './certificates/secret-folder.js';
import { readSecretVariables, withVariables } from './certificates/secret-variables.js';
import { createClock } from './clock.js';
import type { HookProvider, HookSettings } from './config/hooks.js';
import type { SecretSource } from './config/secret-source.js';
import type { Settings } from './config.js';
import { Decoder } from './decoder.js';
import { parseNode } from './envoy/identity.js';
import { openSource } from './git/open-source.js';
import { pushRevert } from './git/push-revert.js';
import { createRevisionShelf } from './git/revision-shelf.js';
import { createLogger } from './log.js';
import type { LoopEvent } from './loop/events.js';
import { loadSamples, statsSamples } from './loop/load-samples.js';
import { Loop } from './loop/loop.js';
import type { Clock, Logger, PublisherEvent } from './loop/ports.js';
import { audienceOf, createSink } from './notify/create-sink.js';
import { createDispatcher } from './notify/dispatcher.js';
import { notificationsFor } from './notify/notification.js';
import type { PushRevert } from './notify/revert.js';
import { createSinkMemory } from './notify/sink-memory.js';
import { createMeasurer } from './providers/measurer.js';
import { createProvider } from './providers/provider.js';
import { readSecret } from './secrets.js';
import { openStore } from './store/open-store.js';
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

  const access = openAccess(settings.access, settings.publicUrl);
  const store = await openStore(settings.state, { clock, logger });
  undo.push(() => store.close());
  const { notifications, publicUrl } = settings;
  // A revert that is under way when the program stops is tried again at the next start.
  const stopping = new AbortController();
  const sinkDependencies = {
    clock,
    publicUrl,
    readSecret: (secret: SecretSource) => readSecret(secret, process.env),
    memoryOf: (sink: string) => createSinkMemory(store, sink, clock),
    pushRevert: async (revert: Parameters<PushRevert>[0]) => {
      const { repo, branch, git: credentials } = settings;
      await pushRevert({ repo, branch, credentials, ...revert }, { clock, stop: stopping.signal });
      return { base: branch };
    },
  };
  const sinks = notifications.map((target) => createSink(target, sinkDependencies));
  const dispatcher = createDispatcher(store, sinks, { clock, logger, random });
  undo.push(() => dispatcher.stop());
  undo.push(async () => stopping.abort());

  const admission =
    settings.xdsAdmission && createAdmission(settings.xdsAdmission, { clock, logger });
  undo.push(async () => admission?.stop());
  const xds = createXdsServer(
    { listen: settings.xds, loadReportIntervalMs: settings.loadReportIntervalMs },
    {
      clock,
      logger,
      admission,
      identify: parseNode,
      onEvent: (event) => {
        if (event.kind === 'proxyAcked') {
          observer.acked(event.proxy, clock.now());
        }
        loop.enqueue(toLoopEvent(event));
      },
    },
  );
  const toLoopEvent = (event: PublisherEvent): LoopEvent => {
    switch (event.kind) {
      case 'loadReported':
        return { ...event, samples: loadSamples(event.report, loop.current(), clock.now()) };
      case 'statsReported':
        return { kind: event.kind, ...statsSamples(event.report, loop.current(), clock.now()) };
      default:
        return event;
    }
  };
  const waitingFor = (generation: number) => () =>
    xds.proxies().filter((proxy) => proxy.ackedGeneration < generation);
  const ready = () => [
    { name: 'snapshot', isOk: loop.current().generation > 0 },
    { name: 'store', isOk: loop.isStoring() },
    { name: 'xds', isOk: true },
  ];
  const metrics = createMetrics({
    version: programVersion(),
    moment: () => ({ state: loop.current(), proxies: xds.proxies(), nowMs: clock.now() }),
    ready,
    events: logger.counts,
    xds,
    sinks: () => dispatcher.status(),
    certificates: () => [...secretSource.expiries(), ...(admission?.expiries() ?? [])],
  });
  const tracing = await openTracing(process.env, { version: programVersion(), logger });
  undo.push(async () => tracing?.stop());
  const observer = observeAll([metrics, ...(tracing ? [tracing.observer] : [])], (error) =>
    logger.error('telemetry.broken', { error }),
  );
  const measurer = createMeasurer(
    settings.providers.map((one) => createProvider(one, { readSecret: readSecretNow })),
    {
      clock,
      logger,
      random,
      onMeasured: (order, measurement) =>
        loop.enqueue({ kind: 'gateMeasured', order, measurement }),
    },
  );
  undo.push(() => measurer.stop());
  let api: Api | undefined;
  const audiences = notifications.map(audienceOf);
  const loop: Loop = new Loop(
    {
      clock,
      logger,
      store,
      publisher: {
        proxies: xds.proxies,
        publish: (publication) => {
          xds.publish(publication);
          observer.published(
            publication.generation,
            waitingFor(publication.generation),
            clock.now(),
          );
        },
      },
      measurer,
      notificationsFor: (announcement) => notificationsFor(announcement, audiences),
      wakeDispatcher: () => dispatcher.wake(),
      onState: (state, announcements, before) => {
        logMoves(before, state, announcements, logger);
        observer.moved(before, state, clock.now());
        api?.stateChanged(state);
      },
      onHandled: observer.handled,
    },
    settings,
  );
  const secretFolder =
    settings.secrets === undefined
      ? undefined
      : createSecretFolder(settings.secrets, { clock, logger });
  const variables = readSecretVariables(settings.secretVariables, { env: process.env, logger });
  const secretSource = withVariables(secretFolder, variables);
  const secrets = await secretSource.start((changed) =>
    loop.enqueue({ kind: 'secretsChanged', secrets: changed }),
  );
  undo.push(() => secretSource.stop());
  // Served before anything listens: the first proxy that connects finds what it had.
  await loop.start(secrets);

  const xdsAddress = await xds.start();
  undo.push(() => xds.stop(drainMs));
  // Stopped first: streams that we end ourselves are no news of the proxies.
  undo.push(() => loop.stop());
  const source = openSource(
    { ...settings, cacheFolder: settings.cache, credentials: settings.git },
    { clock, logger, random },
  );
  const shelf = createRevisionShelf(
    { repo: settings.repo, path: settings.path, credentials: settings.git },
    { clock },
  );
  api = createApi({
    listen: settings.http,
    state: () => loop.current(),
    proxies: () => xds.proxies(),
    metrics: metrics.scrape,
    command: (command) => loop.command(command),
    history: (query) => store.history(query),
    hooks: {
      secrets: readSecrets(settings.hooks),
      pollNow: () => source.pollNow(),
    },
    access,
    proxyResources: (id) => xds.resources(id),
    revisions: shelf,
    ready,
    clock,
    logger,
    page: overrides.page,
  });
  const httpAddress = await api.start();
  undo.push(() => api.stop(drainMs));
  dispatcher.wake();
  const decoder = new Decoder(settings.providers.map(({ name, kind }) => ({ name, kind })));
  undo.push(() => decoder.stop());
  startSource(source, decoder, loop, { clock, logger, observer, shelf });
  undo.push(() => source.stop());
  const httpUrl = `http://${renderHostPort(httpAddress)}`;
  logger.info('headgate.started', { xds: renderHostPort(xdsAddress), http: httpUrl });
  return {
    xds: xdsAddress,
    http: httpAddress,
    httpUrl,
    pollNow: () => source.pollNow(),
    stop: () => runBackwards(undo),
  };
}

async function runBackwards(undo: (() => Promise<void>)[]): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await step();
  }
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
