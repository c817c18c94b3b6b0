/**
 * What an adapter asks of a provider for one gate, and what it brings back. Adapters only measure: they
 * tell what was answered, that there was nothing to answer with, or why nothing could be asked.
 */

export type Question =
  /** Answers a `number`. */
  | { readonly kind: 'query'; readonly query: string }
  /** Answers a `response`. */
  | {
      readonly kind: 'http';
      readonly method: 'GET' | 'POST';
      /** Below the provider's URL. */
      readonly path: string;
      /** For POST: what is asked about, as JSON. */
      readonly body?: string;
      /** Expected status codes; empty: any 2xx. */
      readonly statuses: readonly number[];
      /** What of an answer with an expected status is wanted; undefined: the status alone is. */
      readonly json?: { readonly pointer: string; readonly type: 'number' | 'scalar' };
      readonly timeoutMs?: number;
    }
  /** Answers a `health`. */
  | { readonly kind: 'grpc'; readonly service: string };

/** A gate that is to be asked now, and again until it is not among the orders any more. */
export interface MeasurementOrder {
  /** Unique for the gate, the step and the acknowledgement of the step: what comes late finds no order. */
  readonly id: string;
  readonly provider: string;
  readonly question: Question;
  readonly notBeforeMs: number;
  readonly intervalMs: number;
  /** True: the answer that is known is enough, and nothing is asked any more. */
  readonly isDone: boolean;
  /** What it is for, for the receiver's own log. */
  readonly rollout: string;
  readonly gate: string;
}

/** What a JSON answer may hold where a gate looks. */
export type Scalar = string | number | boolean | null;

export type HealthStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export type Outcome =
  /** `atMs`: the time that the number is of, by the provider's clock. */
  | { readonly kind: 'number'; readonly value: number; readonly atMs: number }
  | {
      readonly kind: 'response';
      readonly status: number;
      /** What stands at the pointer; undefined where none was asked for. */
      readonly value?: Scalar;
    }
  | { readonly kind: 'health'; readonly status: HealthStatus }
  /** It was asked and has nothing to say, as a query without series. */
  | { readonly kind: 'noData'; readonly code: string; readonly message: string }
  /** It could not be asked, or its answer is of no use. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export interface Measurement {
  /** When the question was sent, or the earlier time of which it was answered. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly outcome: Outcome;
}

/** The newest measurement of an order, and the errors that it ends. */
export interface Measured extends Measurement {
  /** This one included; 0: it is no error. */
  readonly errorsInARow: number;
  readonly errorsSinceMs?: number;
}

/** `next`, which came after `previous` by the same order. */
export function countErrors(previous: Measured | undefined, next: Measurement): Measured {
  return next.outcome.kind === 'error'
    ? {
        ...next,
        errorsInARow: (previous?.errorsInARow ?? 0) + 1,
        errorsSinceMs: previous?.errorsSinceMs ?? next.askedAtMs,
      }
    : { ...next, errorsInARow: 0 };
}
