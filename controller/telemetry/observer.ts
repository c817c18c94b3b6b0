/**
 * What happens on the way from a commit to the last ACK, as telemetry is told of it. `app.ts` calls every
 * observer at each of these points; an observer must return at once.
 */
import type { LoopEvent } from '../loop/events.js';
import type { ProxyStatus, SourceEvent } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import type { RevisionInfo } from '../rollout/rollout.js';

/** A span of time, milliseconds since 1970. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Observer {
  /** The source was asked, and answered or did not. */
  polled(event: SourceEvent, period: Period): void;
  /** A revision was read; `errors` is the number of its problems that are errors. */
  decoded(revision: RevisionInfo, errors: number, period: Period): void;
  /** The loop carried out an event, whose step took `tookMs`. */
  handled(event: LoopEvent['kind'], tookMs: number): void;
  /** The state changed by an event at `nowMs`. */
  moved(before: LoopState, after: LoopState, nowMs: number): void;
  /**
   * A publication went to every stream. Proxies for which nothing in it is new have acknowledged it by
   * then, before this is called; `waiting` answers with the others.
   */
  published(generation: number, waiting: () => readonly ProxyStatus[], nowMs: number): void;
  /** The proxy has acknowledged everything of a newer publication. */
  acked(proxy: ProxyStatus, nowMs: number): void;
}

/**
 * Tells each of `observers` in their order. One that throws has a bug, is told nothing any more, and costs
 * the others nothing; `onFault` hears why.
 */
export function observeAll(
  observers: readonly Observer[],
  onFault: (error: unknown) => void,
): Observer {
  let sound = observers;
  const tell =
    <Name extends keyof Observer>(name: Name) =>
    (...args: Parameters<Observer[Name]>): void => {
      for (const observer of sound) {
        try {
          (observer[name] as (...all: Parameters<Observer[Name]>) => void)(...args);
        } catch (error) {
          sound = sound.filter((each) => each !== observer);
          onFault(error);
        }
      }
    };
  return {
    polled: tell('polled'),
    decoded: tell('decoded'),
    handled: tell('handled'),
    moved: tell('moved'),
    published: tell('published'),
    acked: tell('acked'),
  };
}
