/** The gates of rollout scripts: written in a line, and answered by providers that say what they are told to. */
import type { LoopEvent } from '../../controller/loop/events.js';
import type { CompareGate, Gate, NoData } from '../../controller/mesh/gates.js';
import { compareDefaults } from '../../controller/mesh/policy-defaults.js';
import type { MeasurementOrder, Outcome } from '../../controller/rollout/gates/measurement.js';

/** `NAME KIND key=value …`. */
export function readGate([name = '', kind = '', ...words]: readonly string[]): Gate {
  const given = new Map(words.map((word) => word.split('=') as [string, string]));
  const count = (key: string): number | undefined =>
    given.has(key) ? Number(given.get(key)) : undefined;
  const options = {
    name,
    dryRun: given.get('dryRun') === 'true' || undefined,
    at: given.get('at')?.split(',').map(Number),
    from: count('from'),
    failureLimit: count('failureLimit'),
    errorLimit: count('errorLimit'),
    noData: given.get('noData') as NoData | undefined,
  };
  const measured = {
    ...options,
    provider: 'somebody',
    intervalMs: (count('interval') ?? 2) * 1000,
  };
  const bounds = { min: count('min'), max: count('max') };
  switch (kind) {
    case 'successRate':
      return { kind, ...options, min: count('min') ?? 99, windowMs: 10_000, minRequests: 20 };
    case 'compare': {
      const margin = count('margin') ?? compareDefaults.margin;
      const baseline = (given.get('baseline') ?? 'stable') as CompareGate['baseline'];
      const own = { margin, maxRate: count('maxRate'), baseline };
      return { kind, ...options, metric: 'errorRate', ...compareDefaults, ...own };
    }
    case 'query':
      return {
        kind,
        ...measured,
        ...bounds,
        query: given.get('query') ?? 'up',
        windowMs: (count('window') ?? 3) * 1000,
      };
    case 'http':
      return {
        kind,
        ...measured,
        method: 'GET',
        path: '/',
        statuses: [],
        json: given.has('pointer') ? { pointer: given.get('pointer') ?? '', ...bounds } : undefined,
        once: given.get('once') === 'true',
      };
    case 'grpc':
      return { kind, ...measured, service: '' };
    case 'approval':
    case 'manual':
      return { kind, ...options, text: given.get('text') };
    default:
      throw new Error(`the script has a gate of unknown kind ${kind}`);
  }
}

/** Providers that answer in no time what the script says, and nothing before it says anything. */
export class ScriptedProviders {
  private readonly outcomes = new Map<string, Outcome>();
  private readonly askedAtMs = new Map<string, number>();

  /** `GATE 0.5`, `GATE status=500`, `GATE SERVING`, `GATE noData CODE TEXT`, `GATE error CODE TEXT`. */
  tell([gate = '', what = '', code = '', ...text]: readonly string[]): void {
    this.outcomes.set(gate, readOutcome(what, code, text.join(' ')));
  }

  /** The answers to what of `orders` is due. */
  answer(orders: readonly MeasurementOrder[], nowMs: number): readonly LoopEvent[] {
    return orders.flatMap((order): LoopEvent[] => {
      const outcome = this.outcomes.get(order.gate);
      const dueAtMs = Math.max(
        order.notBeforeMs,
        (this.askedAtMs.get(order.id) ?? 0) + order.intervalMs,
      );
      if (outcome === undefined || nowMs < dueAtMs || order.isDone) {
        return [];
      }
      this.askedAtMs.set(order.id, nowMs);
      const measurement = { askedAtMs: nowMs, answeredAtMs: nowMs, outcome };
      return [{ kind: 'gateMeasured', order: order.id, measurement }];
    });
  }
}

function readOutcome(what: string, code: string, message: string): Outcome {
  switch (what) {
    case 'noData':
    case 'error':
      return { kind: what, code, message };
    case 'SERVING':
    case 'NOT_SERVING':
      return { kind: 'health', status: what };
    default:
      return what.startsWith('status=')
        ? { kind: 'response', status: Number(what.slice('status='.length)) }
        : { kind: 'number', value: Number(what), atMs: 0 };
  }
}
