/** A rollout's steps, weights and gates, small for lists and in full for its own page. */
import type { GateView, RolloutView, TargetView } from '../../api/rollout-view.ts';
import { duration, percent } from '../format.ts';
import { nowMs } from '../live.ts';
import { VerdictBadge } from './badge.tsx';

/** The steps as a rail: those that were left, the present one, those to come. */
export function StepRail({
  rollout,
  isLarge = false,
}: {
  rollout: RolloutView;
  isLarge?: boolean;
}) {
  const { steps, step } = rollout;
  if (steps.length === 0) {
    return <p class="muted small">Needs no steps: served at once, and only acknowledged.</p>;
  }
  return (
    <ol class={isLarge ? 'rail large' : 'rail'} aria-label="Steps">
      {steps.map(({ stage, bake, approval, label, text }, index) => {
        const state = stateOf(rollout, index + 1);
        return (
          <li
            key={index}
            class={state}
            aria-current={index + 1 === step.index && state === 'present' ? 'step' : undefined}
            title={`step ${index + 1}: ${text}, bakes ${bake}${approval ? ', needs approval' : ''}`}
          >
            <span class="rail-bar" />
            <span class="rail-text">
              {label}
              {isLarge && stage === 'config' && ' of the proxies'}{' '}
              {approval && <span class="approval">needs approval</span>}
              {isLarge && <span class="muted under">bakes {bake}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function stateOf(rollout: RolloutView, number: number): 'done' | 'present' | 'next' | 'failed' {
  const { phase, step } = rollout;
  if (phase === 'Succeeded' || phase === 'Completing') {
    return 'done';
  }
  if (number < step.index) {
    return 'done';
  }
  if (number > step.index) {
    return 'next';
  }
  return ['RollingBack', 'RolledBack', 'Aborted'].includes(phase) ? 'failed' : 'present';
}

/** Why a rollout is where it is, and what it waits for, as a sentence with a countdown. */
export function Waiting({ rollout }: { rollout: RolloutView }) {
  const { waitsFor, bakeEndsAt, phase } = rollout;
  if (waitsFor === undefined) {
    return <p class="why">{rollout.reason}</p>;
  }
  const leftMs = bakeEndsAt === undefined ? 0 : Date.parse(bakeEndsAt) - nowMs.value;
  const open = waitsFor.split('; ').filter((part) => !part.startsWith('bake time'));
  const parts = [...(leftMs > 0 ? [`${duration(leftMs)} of bake time`] : []), ...open];
  const isPerson = phase === 'WaitingForApproval' || phase === 'Paused';
  return (
    <p class="why">
      {phase === 'Paused' && <>{rollout.reason}. </>}
      <strong class={isPerson ? 'warn-text' : ''}>
        {isPerson ? 'Waits for you: ' : 'Waits for '}
      </strong>
      {parts.length === 0 ? 'the next look' : parts.join(', ')}
    </p>
  );
}

export function targetKey(target: TargetView): string {
  return `${target.router}/${target.route}/${target.virtualNode}:${target.port}`;
}

/** Bars of what each target is served, with a mark for what its callers really sent it. */
export function WeightBars({ rollout }: { rollout: RolloutView }) {
  const isOver = rollout.endedAt !== undefined;
  return (
    <ul class="weights">
      {rollout.targets.map((target) => (
        <li key={targetKey(target)}>
          <span class="weight-name" title={`route ${target.route} of ${target.router}`}>
            {target.virtualNode}
          </span>
          <Bar target={isOver ? { ...target, actual: null } : target} />
          <span class="weight-figures">
            {percent(target.applied)} <span aria-hidden="true">→</span>
            <span class="sr-only"> to </span> {percent(target.desired)}
          </span>
          <span class="weight-now">
            <strong>{percent(target.served)}</strong>
            <span class="muted">{isOver ? ' served' : ` served, ${actualText(target)}`}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function actualText({ actual }: TargetView): string {
  return actual === null ? 'not measured yet' : `${percent(actual)} actual`;
}

export function Bar({ target }: { target: TargetView }) {
  const isGaining = target.desired > target.applied;
  return (
    <span class="bar" aria-hidden="true">
      <span
        class={isGaining ? 'bar-fill gaining' : 'bar-fill'}
        style={{ width: `${target.served}%` }}
      />
      {target.actual !== null && <span class="bar-mark" style={{ left: `${target.actual}%` }} />}
    </span>
  );
}

export function GateLines({ gates }: { gates: readonly GateView[] }) {
  return (
    <ul class="gates">
      {gates.map((gate) => (
        <li key={gate.name}>
          <VerdictBadge verdict={gate.verdict} /> <strong>{gate.name}</strong>{' '}
          <span class="muted">{gate.text || 'nothing was measured yet'}</span>
        </li>
      ))}
    </ul>
  );
}
