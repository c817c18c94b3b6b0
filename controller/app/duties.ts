/**
 * What one controller alone does, however many replicas there are: it polls Git and decodes what it finds,
 * asks the operator's providers, and tells people. Made anew for each term of leadership, since what they
 * remember of an earlier one is old.
 */

import { present } from '../base/assert.js';
import type { Random } from '../base/random.js';
import { onlyRepository, type Revision } from '../base/revision.js';
import type { RepositorySettings } from '../config/repositories.js';
import type { SecretSource } from '../config/secret-source.js';
import type { Settings } from '../config.js';
import { Decoder } from '../decoder.js';
import { openSource } from '../git/open-source.js';
import { pushRevert } from '../git/push-revert.js';
import type { LoopEvent } from '../loop/events.js';
import type { Clock, Logger, Store } from '../loop/ports.js';
import type { DurableState } from '../loop/state.js';
import { createSink } from '../notify/create-sink.js';
import { createDispatcher } from '../notify/dispatcher.js';
import type { PushRevert } from '../notify/revert.js';
import type { SinkStatus } from '../notify/sink.js';
import { createSinkMemory } from '../notify/sink-memory.js';
import { createMeasurer } from '../providers/measurer.js';
import { createProvider } from '../providers/provider.js';
import type { Duties } from '../replicas/term.js';
import type { Observer } from '../telemetry/observer.js';
import { Sources } from './sources.js';

export interface DutyDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly observer: Observer;
  /** A revision was read, whatever becomes of it. */
  readonly onRevision: (revision: Revision) => void;
  readonly readSecret: (source: SecretSource) => string;
  readonly store: Store;
  /** What the store has by the start of the duties, and the loop from then on. */
  readonly durable: () => DurableState;
  /** Takes what is found out. */
  readonly enqueue: (event: LoopEvent) => void;
}

export interface StartedDuties extends Duties {
  /** How each target of notifications fares. */
  sinks(): readonly SinkStatus[];
}

export function createDuties(settings: Settings, deps: DutyDeps): StartedDuties {
  const { clock, logger, random, store, enqueue, readSecret } = deps;
  const { notifications, publicUrl } = settings;
  // A revert that is under way when the program stops is tried again at the next start.
  const stopping = new AbortController();
  const sinkDependencies = {
    clock,
    publicUrl,
    readSecret,
    memoryOf: (sink: string) => createSinkMemory(store, sink, clock),
    pushRevert: async ({ repository, ...revert }: Parameters<PushRevert>[0]) => {
      const { repo, branch, git: credentials } = repositoryNamed(settings, repository);
      await pushRevert({ repo, branch, credentials, ...revert }, { clock, stop: stopping.signal });
      return { base: branch };
    },
  };
  const sinks = notifications.map((target) => createSink(target, sinkDependencies));
  const dispatcher = createDispatcher(store, sinks, { clock, logger, random });
  const measurer = createMeasurer(
    settings.providers.map((one) => createProvider(one, { readSecret })),
    {
      clock,
      logger,
      random,
      onMeasured: (order, measurement) => enqueue({ kind: 'gateMeasured', order, measurement }),
    },
  );
  const opened = settings.repositories.map(({ name, cache, git, ...repository }) => ({
    name,
    source: openSource(
      { ...repository, cacheFolder: cache, credentials: git },
      {
        ...{ clock, logger, random },
        onProgress: (percent) => {
          logger.info('source.fetching', { repository: name || undefined, percent });
          enqueue({ kind: 'sourceFetching', source: name, percent });
        },
      },
    ),
  }));
  let decoder: Decoder | undefined;
  let sources: Sources | undefined;
  return {
    measurer,
    wakeDispatcher: () => dispatcher.wake(),
    start: () => {
      const decoding = new Decoder(settings.providers.map(({ name, kind }) => ({ name, kind })));
      decoder = decoding;
      sources = new Sources({ ...deps, sources: opened, decoder: decoding, onEvent: enqueue });
      sources.start();
    },
    pollNow: (repository) => sources?.pollNow(repository),
    sinks: () => dispatcher.status(),
    stop: async () => {
      stopping.abort();
      await Promise.all([sources?.stop(), decoder?.stop(), measurer.stop(), dispatcher.stop()]);
    },
  };
}

/** The repository of that name; undefined: the only one. */
function repositoryNamed({ repositories }: Settings, name = onlyRepository): RepositorySettings {
  return present(
    repositories.find((repository) => repository.name === name),
    `repository ${name}`,
  );
}
