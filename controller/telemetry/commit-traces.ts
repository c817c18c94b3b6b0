/**
 * One trace for each commit, from its fetch to the last ACK: what is observed on the way becomes spans, each
 * handed on when it is over. Ids follow from the commit and the rollout, so that a controller that is
 * restarted in the middle goes on with the same trace. It decides nothing and keeps nothing that matters.
 */

import { forgetOldest } from '../base/forget-oldest.js';
import { plural } from '../base/plural.js';
import type { LoopEvent } from '../loop/events.js';
import type { ProxyStatus, SourceEvent } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import { isEnded, type RevisionInfo, type Rollout } from '../rollout/rollout.js';
import type { Observer, Period } from './observer.js';
import type { SpanParent } from './push-trace.js';
import { RolloutTrace } from './rollout-trace.js';
import { type Span, type SpanAttributes, spanIdOf, traceIdOf } from './span.js';

/** Commits whose end is awaited; the oldest is given up first. */
const deliveriesMax = 64;

/** A commit on its way. */
interface Delivery {
  readonly root: SpanParent;
  readonly revision: RevisionInfo;
  readonly fromMs: number;
  /** What went wrong with it first. */
  error?: string;
  /** What came before the loop saw it; nobody wants to hear of it where the loop knew the commit. */
  early: readonly Span[];
  isSeen: boolean;
}

export interface CommitTracesOptions {
  /** Tells two controllers apart that send the traces of the same commits to one place. */
  readonly seed: string;
  /** Takes each span when it is over. Must not throw. */
  readonly emit: (span: Span) => void;
}

export class CommitTraces implements Observer {
  private readonly options: CommitTracesOptions;
  private readonly deliveries = new Map<string, Delivery>();
  private readonly rollouts = new Map<string, RolloutTrace>();
  /** The poll that brought the newest revision. */
  private fetched: (Period & { readonly revision: string }) | undefined;
  /** The newest publication, until the step is told of that made it. */
  private publication:
    | { readonly waiting: readonly ProxyStatus[]; readonly atMs: number }
    | undefined;
  /** The commit that the present step has seen for the first time. */
  private planned: Delivery[] = [];
  /** The newest state, and when it came to be. */
  private newest: { readonly state: LoopState; readonly atMs: number } | undefined;

  constructor(options: CommitTracesOptions) {
    this.options = options;
  }

  polled(event: SourceEvent, period: Period): void {
    if (event.kind === 'revision') {
      this.fetched = { ...period, revision: event.revision.id };
    }
  }

  decoded(revision: RevisionInfo, errors: number, period: Period): void {
    const fetched = this.fetched?.revision === revision.id ? this.fetched : undefined;
    const delivery = this.open(revision, fetched?.fromMs ?? period.fromMs);
    if (delivery.isSeen) {
      return;
    }
    delivery.error = errors > 0 ? `rejected: ${plural(errors, 'problem')}` : undefined;
    const validated = childOf(delivery, 'validate', period, { 'headgate.problems': errors });
    delivery.early = [
      ...(fetched === undefined ? [] : [childOf(delivery, 'fetch', fetched)]),
      { ...validated, error: delivery.error },
    ];
  }

  published(_generation: number, waiting: () => readonly ProxyStatus[], nowMs: number): void {
    this.publication = { waiting: waiting(), atMs: nowMs };
  }

  moved(before: LoopState, after: LoopState, nowMs: number): void {
    this.newest = { state: after, atMs: nowMs };
    for (const [name, { attempted }] of after.durable.repositories) {
      const known = before.durable.repositories.get(name)?.attempted;
      const delivery = this.deliveries.get(attempted?.id ?? '');
      if (delivery !== undefined && attempted?.id !== known?.id) {
        this.planned.push(delivery);
      }
    }
    const hasNews =
      before.durable !== after.durable ||
      before.proxies !== after.proxies ||
      this.publication !== undefined;
    if (hasNews) {
      this.moveRollouts(before, after, nowMs);
      this.push(after);
      this.endRollouts(after, nowMs);
      this.endDeliveries(after, nowMs);
    }
  }

  handled(event: LoopEvent['kind'], tookMs: number): void {
    const { newest, planned } = this;
    if (event !== 'revisionsRead' || newest === undefined) {
      return;
    }
    this.planned = [];
    if (planned.length === 0) {
      this.forgetKnown(newest.state);
      return;
    }
    const period = { fromMs: newest.atMs - tookMs, toMs: newest.atMs };
    for (const delivery of planned) {
      delivery.isSeen = true;
      for (const span of [...delivery.early, childOf(delivery, 'plan', period)]) {
        this.options.emit(span);
      }
    }
    this.endDeliveries(newest.state, newest.atMs);
  }

  acked(proxy: ProxyStatus, nowMs: number): void {
    for (const rollout of this.rollouts.values()) {
      rollout.ack(proxy, nowMs);
    }
  }

  private moveRollouts(before: LoopState, after: LoopState, nowMs: number): void {
    for (const rollout of after.durable.rollouts.values()) {
      const previous = before.durable.rollouts.get(rollout.id);
      const isNews = previous !== rollout && !(previous !== undefined && isEnded(previous.phase));
      if (isNews || (!isEnded(rollout.phase) && !this.rollouts.has(rollout.id))) {
        this.traceOf(previous ?? rollout).move(rollout, nowMs);
      }
    }
  }

  /** The trace of `rollout`: one from before the start of this process is taken up where it is. */
  private traceOf(rollout: Rollout): RolloutTrace {
    const known = this.rollouts.get(rollout.id);
    if (known !== undefined) {
      return known;
    }
    const delivery = this.open(rollout.revision, rollout.startedAtMs);
    delivery.isSeen ||= !this.planned.includes(delivery);
    const trace = new RolloutTrace(rollout, delivery.root, this.options.emit);
    this.rollouts.set(rollout.id, trace);
    return trace;
  }

  /** Hangs the newest publication under each rollout whose present position it served first. */
  private push({ servedGeneration, generation }: LoopState): void {
    if (this.publication === undefined) {
      return;
    }
    const { waiting, atMs } = this.publication;
    this.publication = undefined;
    for (const [id, trace] of this.rollouts) {
      if (servedGeneration.get(id) === generation) {
        trace.push(generation, waiting, atMs);
      }
    }
  }

  private endRollouts(after: LoopState, nowMs: number): void {
    for (const [id, trace] of this.rollouts) {
      trace.look(after.proxies, nowMs);
      const rollout = after.durable.rollouts.get(id);
      const isOver = rollout === undefined || (isEnded(rollout.phase) && !trace.isPushing());
      if (isOver) {
        trace.end(nowMs);
        this.rollouts.delete(id);
        const delivery = rollout && this.deliveries.get(rollout.revision.id);
        const hasFailed = rollout?.phase === 'RolledBack' || rollout?.phase === 'Aborted';
        if (delivery !== undefined && hasFailed) {
          delivery.error ??= `${rollout?.name} ${rollout?.phase}: ${rollout?.reason}`;
        }
      }
    }
  }

  private endDeliveries(after: LoopState, nowMs: number): void {
    const wanted = [...after.durable.repositories.values()].flatMap(({ desired, applied }) =>
      desired === undefined || desired.id === applied?.id ? [] : [desired.id],
    );
    const running = new Set(
      [...after.durable.rollouts.values()]
        .filter(({ id }) => this.rollouts.has(id))
        .map(({ revision }) => revision.id),
    );
    for (const [id, delivery] of this.deliveries) {
      const isWanted = wanted.includes(id) && delivery.error === undefined;
      if (delivery.isSeen && !running.has(id) && !isWanted) {
        this.deliveries.delete(id);
        this.options.emit(rootOf(delivery, nowMs));
      }
    }
  }

  /** The loop knew the commit already: the source reads the newest one again at each start. */
  private forgetKnown({ durable }: LoopState): void {
    for (const { attempted } of durable.repositories.values()) {
      const id = attempted?.id ?? '';
      if (this.deliveries.get(id)?.isSeen === false) {
        this.deliveries.delete(id);
      }
    }
  }

  private open(revision: RevisionInfo, fromMs: number): Delivery {
    const known = this.deliveries.get(revision.id);
    if (known !== undefined) {
      return known;
    }
    const traceId = traceIdOf(revision.id);
    const root = { traceId, spanId: spanIdOf(this.options.seed, revision.id) };
    const delivery = { root, revision, fromMs, early: [], isSeen: false };
    this.deliveries.set(revision.id, delivery);
    forgetOldest(this.deliveries, deliveriesMax);
    return delivery;
  }
}

function childOf(
  { root, revision }: Delivery,
  name: string,
  { fromMs, toMs }: Period,
  attributes: SpanAttributes = {},
): Span {
  return {
    traceId: root.traceId,
    spanId: spanIdOf(root.spanId, name, fromMs),
    parentId: root.spanId,
    name,
    fromMs,
    toMs,
    attributes: { 'headgate.revision': revision.id, ...attributes },
  };
}

function rootOf({ root, revision, fromMs, error }: Delivery, nowMs: number): Span {
  return {
    ...root,
    name: 'commit',
    fromMs,
    toMs: nowMs,
    attributes: {
      'headgate.revision': revision.id,
      'vcs.ref.head.revision': revision.id,
      'headgate.commit.title': revision.title,
    },
    error,
  };
}
