/** The spans of one rollout: its whole, each step with its gates and pushes, each wait for people or windows. */
import type { ProxyStatus } from '../loop/ports.js';
import type { GateResult, Phase, Rollout } from '../rollout/rollout.js';
import { PushTrace, type SpanParent } from './push-trace.js';
import { type Span, type SpanAttributes, spanIdOf } from './span.js';

/** Phases in which something other than proxies and gates is waited for. */
const waits: Readonly<Partial<Record<Phase, string>>> = {
  WaitingForApproval: 'wait for approval',
  WaitingForWindow: 'wait for window',
  Paused: 'paused',
};

/** A part of the rollout that is under way: what is served in it, and since when. */
interface Stage extends SpanParent {
  readonly name: string;
  readonly fromMs: number;
  readonly attributes: SpanAttributes;
}

export class RolloutTrace {
  private readonly whole: SpanParent;
  private stage: Stage;
  private wait: { readonly name: string; readonly fromMs: number } | undefined;
  private pushes: PushTrace[] = [];

  /** `root` is the commit's span. */
  constructor(
    private rollout: Rollout,
    private readonly root: SpanParent,
    private readonly emit: (span: Span) => void,
  ) {
    this.whole = { traceId: root.traceId, spanId: spanIdOf(root.spanId, rollout.id) };
    this.stage = this.stageOf(rollout, rollout.stepEnteredAtMs);
    this.wait = waitOf(rollout, rollout.stepEnteredAtMs);
  }

  /** The rollout is now `to`. */
  move(to: Rollout, nowMs: number): void {
    const from = this.rollout;
    this.rollout = to;
    const wait = waitOf(to, nowMs);
    if (wait?.name !== this.wait?.name) {
      this.endWait(nowMs);
      this.wait = wait;
    }
    if (stageName(to) !== this.stage.name) {
      this.endStage(from, to, nowMs);
      this.stage = this.stageOf(to, nowMs);
    }
  }

  /** A publication serves the present stage. */
  push(generation: number, waiting: readonly ProxyStatus[], atMs: number): void {
    this.pushes.push(new PushTrace(this.stage, generation, waiting, atMs, this.emit));
    this.endPushes(atMs);
  }

  ack(proxy: ProxyStatus, nowMs: number): void {
    for (const push of this.pushes) {
      push.ack(proxy, nowMs);
    }
    this.endPushes(nowMs);
  }

  /** Some proxies may be gone, or have refused. */
  look(proxies: ReadonlyMap<string, ProxyStatus>, nowMs: number): void {
    for (const push of this.pushes) {
      push.look(proxies);
    }
    this.endPushes(nowMs);
  }

  isPushing(): boolean {
    return this.pushes.length > 0;
  }

  /** Ends what is open, and the whole. */
  end(nowMs: number): void {
    const { id, mesh, name, phase, reason, startedAtMs, plan } = this.rollout;
    this.endWait(nowMs);
    this.endStage(this.rollout, this.rollout, nowMs);
    this.emit({
      ...this.whole,
      parentId: this.root.spanId,
      name: `rollout ${name}`,
      fromMs: startedAtMs,
      toMs: nowMs,
      attributes: {
        'headgate.mesh': mesh,
        'headgate.rollout': id,
        'headgate.rollout.result': phase,
        'headgate.rollout.steps': plan.steps.length,
        'headgate.rollout.policy': plan.policy,
      },
      error: phase === 'RolledBack' || phase === 'Aborted' ? reason : undefined,
    });
  }

  private stageOf(rollout: Rollout, fromMs: number): Stage {
    const { step, plan } = rollout;
    const name = stageName(rollout);
    const { stage, progress } = plan.steps[step] ?? {};
    return {
      traceId: this.whole.traceId,
      spanId: spanIdOf(this.whole.spanId, name),
      name,
      fromMs,
      attributes: {
        'headgate.rollout': rollout.id,
        ...(name.startsWith('step') && {
          'headgate.step.stage': stage,
          'headgate.step.progress': progress,
        }),
      },
    };
  }

  private endStage(from: Rollout, to: Rollout, nowMs: number): void {
    for (const push of this.pushes) {
      push.end(nowMs);
    }
    this.pushes = [];
    const { name, fromMs, attributes, ...stage } = this.stage;
    const hasFailed = name.startsWith('step') && to.phase === 'RollingBack';
    this.emit({
      ...stage,
      parentId: this.whole.spanId,
      name,
      fromMs,
      toMs: nowMs,
      attributes,
      error: hasFailed ? to.reason : undefined,
    });
    if (name.startsWith('step')) {
      const left = to.evidence.find(({ step }) => step === from.step);
      // A step that failed has no evidence of having been left; its last verdicts are still there.
      for (const gate of left?.gates ?? (hasFailed ? to.gates : [])) {
        this.emitGate(gate, from.ackedAtMs ?? to.ackedAtMs ?? fromMs);
      }
    }
  }

  private emitGate(gate: GateResult, fromMs: number): void {
    const { name, verdict, observed, limit, samples, text, atMs, dryRun } = gate;
    this.emit({
      traceId: this.stage.traceId,
      spanId: spanIdOf(this.stage.spanId, 'gate', name),
      parentId: this.stage.spanId,
      name: `gate ${name}`,
      fromMs: Math.min(fromMs, atMs),
      toMs: atMs,
      attributes: {
        'headgate.gate.verdict': verdict,
        'headgate.gate.observed': observed,
        'headgate.gate.limit': limit,
        'headgate.gate.samples': samples,
        'headgate.gate.text': text,
        'headgate.gate.dry_run': dryRun,
      },
      error: verdict === 'fail' ? text : undefined,
    });
  }

  private endWait(nowMs: number): void {
    if (this.wait !== undefined) {
      const { name, fromMs } = this.wait;
      this.emit({
        traceId: this.stage.traceId,
        spanId: spanIdOf(this.stage.spanId, name, fromMs),
        parentId: this.stage.spanId,
        name,
        fromMs,
        toMs: nowMs,
        attributes: { 'headgate.rollout': this.rollout.id },
      });
      this.wait = undefined;
    }
  }

  private endPushes(nowMs: number): void {
    for (const push of this.pushes.filter((each) => each.isOver())) {
      push.end(nowMs);
    }
    this.pushes = this.pushes.filter((push) => !push.isOver());
  }
}

function waitOf({ phase }: Rollout, fromMs: number) {
  const name = waits[phase];
  return name === undefined ? undefined : { name, fromMs };
}

/** What is served: the same name, the same span. */
function stageName({ phase, step, plan }: Rollout): string {
  switch (phase) {
    case 'Completing':
    case 'Succeeded':
      return 'complete';
    case 'RollingBack':
    case 'RolledBack':
    case 'Aborted':
      return 'roll back';
    case 'Superseded':
      return 'superseded';
    default:
      return step < 0 ? 'add' : `step ${step + 1}/${plan.steps.length}`;
  }
}
