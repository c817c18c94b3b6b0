/** The gates `approval` and `manual`: a person's word, which is kept with who gave it and why. */
import type { ApprovalGate, ManualGate } from '../../mesh/gates.js';
import type { Approval, Rollout } from '../rollout.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { renderTime } from './text.js';

export type PersonGate = ApprovalGate | ManualGate;

export const approval: GateKind<ApprovalGate> = {
  judge: judgePerson,
  windowMs: () => 0,
  describe: ({ text }) => `a person approves${said(text)}`,
};

export const manual: GateKind<ManualGate> = {
  judge: judgePerson,
  windowMs: () => 0,
  describe: ({ text }) => `held until a person lets it go${said(text)}`,
};

/** What was said to the gate where that holds at the rollout's step: a hold is let go once for all. */
export function wordOn(gate: PersonGate, { approvals, step }: Rollout): Approval | undefined {
  const words = approvals.filter((one) => one.gate === gate.name);
  return gate.kind === 'manual' ? words.at(-1) : words.find((one) => one.step === step);
}

function judgePerson({ rollout, gate }: GateQuestion<PersonGate>): Judgement {
  const word = wordOn(gate, rollout);
  if (word !== undefined) {
    const why = word.reason === '' ? '' : `: ${word.reason}`;
    const verb = gate.kind === 'manual' ? 'let go' : 'approved';
    const text = `${verb} by ${word.by} at ${renderTime(word.atMs)}${why}`;
    return { verdict: 'pass', samples: 0, text };
  }
  const waits = gate.kind === 'manual' ? 'held until a person lets it go' : "a person's approval";
  const since = renderTime(rollout.ackedAtMs ?? rollout.stepEnteredAtMs);
  const text = `${waits}, since ${since}${said(gate.text)}`;
  return { verdict: 'none', isPending: true, samples: 0, text };
}

function said(text: string | undefined): string {
  return text === undefined ? '' : `: ${text}`;
}
