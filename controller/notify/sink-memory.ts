/**
 * What a sink remembers, in the state's own store: which message of a chat belongs to which rollout. A
 * crash between sending and remembering costs one message too many, never a lost one.
 */
import type { Clock, Store } from '../loop/ports.js';
import type { SinkMemory } from './sink.js';

/** The values' kind in the store. */
export const sinkMemoryKind = 'sinkMemory';

/** More rollouts than that are never told of again. */
const keysMax = 500;

interface Remembered {
  readonly value: string;
  readonly atMs: number;
}

/** The memory of the sink called `sink`. Throws what the store throws. */
export function createSinkMemory(store: Store, sink: string, clock: Clock): SinkMemory {
  let known: Promise<Map<string, Remembered>> | undefined;
  const all = (): Promise<Map<string, Remembered>> => {
    known ??= recall(store, sink);
    // A store that failed is asked again.
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
  return {
    get: async (key) => (await all()).get(key)?.value,
    set: async (key, value) => {
      const entries = await all();
      const entry = { value, atMs: clock.now() };
      const oldest = [...entries].sort(([, left], [, right]) => left.atMs - right.atMs);
      const forgotten = oldest
        .slice(0, Math.max(0, entries.size + 1 - keysMax))
        .map(([old]) => old);
      await store.commit({
        writes: [
          { kind: sinkMemoryKind, key: `${sink}/${key}`, json: JSON.stringify(entry) },
          ...forgotten.map((old) => ({
            kind: sinkMemoryKind,
            key: `${sink}/${old}`,
            json: null,
          })),
        ],
        history: [],
        notifications: [],
      });
      entries.set(key, entry);
      for (const old of forgotten) {
        entries.delete(old);
      }
    },
  };
}

async function recall(store: Store, sink: string): Promise<Map<string, Remembered>> {
  const prefix = `${sink}/`;
  const values = await store.load();
  return new Map(
    values
      .filter(({ kind, key }) => kind === sinkMemoryKind && key.startsWith(prefix))
      .map(({ key, json }) => [key.slice(prefix.length), JSON.parse(json) as Remembered]),
  );
}
