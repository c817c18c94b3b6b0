/**
 * Delivers what waits in the store's outbox, so that a chat server can be slow or dead for days and
 * nothing else notices. Each sink has a worker of its own; a worker sends one notification at a time,
 * the notifications of one topic in their order. A notification is marked after it was sent, so a crash
 * in between sends it again with the same id.
 */
import type { Store } from '../loop/ports.js';
import type { Sink, SinkStatus } from './sink.js';
import { type DeliveryDependencies, SinkWorker } from './sink-worker.js';

export interface Dispatcher {
  /** Looks at the outbox: called at the start and after each commit. Returns at once. */
  wake(): void;
  /** Ends after the sends that are under way, at most some seconds; what waits stays stored. */
  stop(): Promise<void>;
  /** In the order of the sinks. */
  status(): readonly SinkStatus[];
}

export function createDispatcher(
  store: Store,
  sinks: readonly Sink[],
  dependencies: DeliveryDependencies,
): Dispatcher {
  const workers = sinks.map((sink) => new SinkWorker(store, sink, dependencies));
  return {
    wake: () => {
      for (const worker of workers) {
        worker.wake();
      }
    },
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
    status: () => workers.map((worker) => worker.status()),
  };
}
