/** Small words in colour: how a rollout, a mesh or a proxy is. Never colour alone. */
import type { TypeState } from '../../loop/ports.ts';
import type { Phase, Verdict } from '../../rollout/rollout.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'calm';

export function Badge({ tone, children }: { tone: Tone; children: preact.ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const phases: Readonly<Record<Phase, readonly [Tone, string]>> = {
  Pending: ['busy', 'Pending'],
  WaitingForApproval: ['warn', 'Waiting for approval'],
  WaitingForWindow: ['warn', 'Waiting for its window'],
  Progressing: ['busy', 'Progressing'],
  Baking: ['busy', 'Baking'],
  Paused: ['warn', 'Paused'],
  Completing: ['busy', 'Completing'],
  RollingBack: ['bad', 'Rolling back'],
  Succeeded: ['good', 'Succeeded'],
  RolledBack: ['bad', 'Rolled back'],
  Aborted: ['bad', 'Aborted'],
  Superseded: ['calm', 'Superseded'],
};

export function PhaseBadge({ phase }: { phase: Phase }) {
  // A phase that a newer controller has is shown by its own name.
  const [tone, text] = phases[phase] ?? ['calm', phase];
  return <Badge tone={tone}>{text}</Badge>;
}

const verdicts: Readonly<Record<Verdict, readonly [Tone, string, string]>> = {
  pass: ['good', '✓', 'passes'],
  fail: ['bad', '✕', 'fails'],
  none: ['calm', '…', 'no verdict yet'],
};

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const [tone, sign, text] = verdicts[verdict];
  return (
    <Badge tone={tone}>
      <span aria-hidden="true">{sign}</span> {text}
    </Badge>
  );
}

const states: Readonly<Record<TypeState, readonly [Tone, string]>> = {
  synced: ['good', 'synced'],
  stale: ['busy', 'stale'],
  rejected: ['bad', 'rejected'],
  notSent: ['calm', 'not sent'],
};

export function StateBadge({ state }: { state: TypeState }) {
  const [tone, text] = states[state];
  return <Badge tone={tone}>{text}</Badge>;
}
