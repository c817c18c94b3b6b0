/**
 * One term of leadership: a loop that starts from the store as after a restart, and what only a leader does
 * besides it.
 */
import type { LoopEvent } from '../loop/events.js';
import { Loop, type LoopDeps, type LoopLease } from '../loop/loop.js';
import type { Store } from '../loop/ports.js';
import type { DurableState } from '../loop/state.js';
import type { StepSettings } from '../loop/step.js';
import type { SinkStatus } from '../notify/sink.js';

/** What only a leader does besides the loop: polling Git, asking providers, telling people. */
export interface Duties extends Pick<LoopDeps, 'measurer' | 'wakeDispatcher'> {
  /** How each target of notifications fares. */
  sinks(): readonly SinkStatus[];
  /** Called once the loop serves. */
  start(): void;
  /** Looks at the repository of that name now, or at all of them. */
  pollNow(repository?: string): void;
  /** Gives up what is under way; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** The duties of a term. */
export type DutiesOf = (term: {
  readonly store: Store;
  /** What the store has by the start of the duties, and the loop from then on. */
  readonly durable: () => DurableState;
  /** Takes what the duties find out. */
  readonly enqueue: (event: LoopEvent) => void;
}) => Duties;

/** What a loop needs that is the same in every term. */
export type TermDeps = Pick<
  LoopDeps,
  'clock' | 'logger' | 'publisher' | 'publications' | 'notificationsFor' | 'onState' | 'onHandled'
> & { readonly duties: DutiesOf };

export interface Term {
  readonly epoch: number;
  readonly loop: Loop;
  readonly duties: Duties;
}

/** A term over `store` in which nothing runs yet: whoever asked for it starts the loop, then the duties. */
export function prepareTerm(
  { duties: dutiesOf, ...deps }: TermDeps,
  settings: StepSettings,
  term: {
    readonly epoch: number;
    readonly store: Store;
    readonly lease: LoopLease;
    readonly enqueue: (event: LoopEvent) => void;
  },
): Term {
  const { epoch, store, lease, enqueue } = term;
  const durable = () => loop.current().durable;
  const duties = dutiesOf({ store, durable, enqueue });
  const loop: Loop = new Loop(
    {
      ...deps,
      ...{ store, lease, measurer: duties.measurer },
      wakeDispatcher: () => duties.wakeDispatcher(),
    },
    settings,
  );
  return { epoch, loop, duties };
}
