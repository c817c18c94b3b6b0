/** What is not in the stream: asked for when it is first shown, and again when there is news. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson } from '../api.ts';
import { news } from '../live.ts';

export interface Loaded<T> {
  readonly value?: T;
  readonly error?: string;
}

/** Bursts of events become one request. */
const pauseMs = 500;

/** The JSON at `path`; asked for again after each event where `isLive`. */
export function useJson<T>(path: string, { isLive }: { readonly isLive: boolean }): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly path: string }>({ path });
  const last = useRef({ path: '', atMs: 0 });
  const trigger = isLive ? news.value : 0;
  useEffect(() => {
    let isWanted = true;
    const load = async () => {
      last.current = { path, atMs: Date.now() };
      const answer = await getJson<T>(path).then(
        (value): Loaded<T> => ({ value }),
        (error: Error): Loaded<T> => ({ error: error.message }),
      );
      if (isWanted || last.current.path === path) {
        setLoaded((before) => ({
          path,
          error: answer.error,
          value: answer.value ?? (before.path === path ? before.value : undefined),
        }));
      }
    };
    const isNew = last.current.path !== path;
    const waitMs = isNew ? 0 : Math.max(0, last.current.atMs + pauseMs - Date.now());
    const timer = setTimeout(load, waitMs);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [path, trigger]);
  return loaded.path === path ? loaded : {};
}
