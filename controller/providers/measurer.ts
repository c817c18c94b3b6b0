/**
 * Asks providers what the loop's orders say: each order at its interval with some jitter, one question in
 * flight an order and a few a provider, the longest waiting first. It has no policy: what an answer means, and
 * when an order ends, the loop says.
 */
import { errorText, OpError } from '../base/op-error.js';
import type { Random } from '../base/random.js';
import type { Clock, Logger, Measurer } from '../loop/ports.js';
import type { Measurement, MeasurementOrder, Outcome } from '../rollout/gates/measurement.js';
import type { ExchangeContext } from './exchange.js';
import { askGrpc } from './grpc-health.js';
import { askHttp } from './http.js';
import { askPrometheus } from './prometheus.js';
import type { Provider } from './provider.js';

/** A hundred rollouts that start together must not be a load test of Prometheus. */
export const inFlightMax = 8;

/** Questions of many gates at one interval drift apart by this share of it at most. */
const jitterShare = 0.1;

export interface MeasurerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly onMeasured: (order: string, measurement: Measurement) => void;
}

/** One order, for as long as it is among those that are watched. */
interface Watch {
  order: MeasurementOrder;
  dueAtMs: number;
  cancelTimer: () => void;
  /** Ends the question in flight; undefined: there is none. */
  inFlight?: AbortController;
  hasFailed: boolean;
}

export function createMeasurer(
  providers: readonly Provider[],
  dependencies: MeasurerDependencies,
): Measurer {
  return new ProviderMeasurer(providers, dependencies);
}

class ProviderMeasurer implements Measurer {
  private readonly watches = new Map<string, Watch>();
  /** Orders that are due and wait for a place, the first first. */
  private waiting: Watch[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly inFlight = new Map<string, number>();
  private isStopped = false;

  constructor(
    private readonly providers: readonly Provider[],
    private readonly dependencies: MeasurerDependencies,
  ) {}

  watch(orders: readonly MeasurementOrder[]): void {
    if (this.isStopped) {
      return;
    }
    const ids = new Set(orders.map(({ id }) => id));
    for (const [id, watch] of this.watches) {
      if (!ids.has(id)) {
        this.giveUp(id, watch);
      }
    }
    for (const order of orders) {
      this.take(order);
    }
  }

  async stop(): Promise<void> {
    this.watch([]);
    this.isStopped = true;
    await Promise.all(this.running);
  }

  private giveUp(id: string, watch: Watch): void {
    watch.cancelTimer();
    watch.inFlight?.abort();
    this.waiting = this.waiting.filter((other) => other !== watch);
    this.watches.delete(id);
  }

  private take(order: MeasurementOrder): void {
    const known = this.watches.get(order.id);
    if (known === undefined) {
      const watch = { order, dueAtMs: 0, cancelTimer: () => {}, hasFailed: false };
      this.watches.set(order.id, watch);
      this.schedule(watch);
      return;
    }
    const before = known.order;
    known.order = order;
    const hasMoved = before.notBeforeMs !== order.notBeforeMs || before.isDone !== order.isDone;
    if (hasMoved && known.inFlight === undefined && !this.waiting.includes(known)) {
      this.schedule(known);
    }
  }

  private schedule(watch: Watch): void {
    const { clock } = this.dependencies;
    watch.cancelTimer();
    if (watch.order.isDone) {
      return;
    }
    const atMs = Math.max(watch.order.notBeforeMs, watch.dueAtMs);
    watch.cancelTimer = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.waiting.push(watch);
      this.askNext();
    });
  }

  private askNext(): void {
    const next = this.waiting.find(
      ({ order }) => (this.inFlight.get(order.provider) ?? 0) < inFlightMax,
    );
    if (next === undefined) {
      return;
    }
    this.waiting = this.waiting.filter((other) => other !== next);
    const asked = this.ask(next).finally(() => {
      this.running.delete(asked);
      this.askNext();
    });
    this.running.add(asked);
  }

  private async ask(watch: Watch): Promise<void> {
    const { clock, random } = this.dependencies;
    const { order } = watch;
    const askedAtMs = clock.now();
    const abort = new AbortController();
    watch.inFlight = abort;
    this.count(order.provider, 1);
    const outcome = await this.measure(order, { clock, signal: abort.signal });
    this.count(order.provider, -1);
    watch.inFlight = undefined;
    if (abort.signal.aborted) {
      return;
    }
    watch.dueAtMs = askedAtMs + order.intervalMs * (1 + jitterShare * random());
    this.note(watch, outcome);
    // A server that answers for a while ago has seen nothing of what was since.
    const speaksOfMs = outcome.kind === 'number' ? Math.min(askedAtMs, outcome.atMs) : askedAtMs;
    const measurement = { askedAtMs: speaksOfMs, answeredAtMs: clock.now(), outcome };
    this.dependencies.onMeasured(order.id, measurement);
    if (this.watches.get(order.id) === watch) {
      this.schedule(watch);
    }
  }

  private count(provider: string, change: number): void {
    this.inFlight.set(provider, (this.inFlight.get(provider) ?? 0) + change);
  }

  /** Never rejects: whatever goes wrong is an outcome. */
  private async measure(order: MeasurementOrder, context: ExchangeContext): Promise<Outcome> {
    const provider = this.providers.find(({ name }) => name === order.provider);
    try {
      return await askProvider(provider, order, context);
    } catch (error) {
      const code = error instanceof OpError ? error.code : 'provider-error';
      return { kind: 'error', code, message: errorText(error) };
    }
  }

  /** The first error in a row and the end of the row: a dead provider must not fill the log. */
  private note(watch: Watch, outcome: Outcome): void {
    const { rollout, gate, provider } = watch.order;
    const { logger } = this.dependencies;
    if (outcome.kind === 'error' && !watch.hasFailed) {
      const { code, message } = outcome;
      logger.warn('gate.error', { rollout, gate, provider, code, message });
    } else if (outcome.kind !== 'error' && watch.hasFailed) {
      logger.info('gate.recovered', { rollout, gate, provider });
    }
    watch.hasFailed = outcome.kind === 'error';
  }
}

async function askProvider(
  provider: Provider | undefined,
  order: MeasurementOrder,
  context: ExchangeContext,
): Promise<Outcome> {
  const { question } = order;
  if (provider === undefined) {
    // A rollout keeps the policy that it began with, and the configuration may have changed since.
    const text = `there is no provider ${order.provider} in the controller's configuration`;
    throw new OpError('provider-unknown', text);
  }
  if (provider.kind === 'prometheus' && question.kind === 'query') {
    return askPrometheus(provider, question, context);
  }
  if (provider.kind === 'http' && question.kind === 'http') {
    return askHttp(provider, question, order, context);
  }
  if (provider.kind === 'grpc' && question.kind === 'grpc') {
    return askGrpc(provider, question, context);
  }
  const text = `provider ${provider.name} is of kind ${provider.kind}, which no ${question.kind} gate can ask`;
  throw new OpError('provider-kind', text);
}
