/**
 * What the history keeps and what people are told, found by comparing the state before a step with the
 * state after it: no transition can forget to say so. Ids follow from the rollout and what happened to
 * it, and no two transitions share one, since receivers drop what they have seen.
 */
import { renderDuration } from '../base/duration.js';
import { plural } from '../base/plural.js';
import { renderOrigin } from '../mesh/origins.js';
import { hasLeftStep } from '../rollout/enter-step.js';
import { withoutMemory } from '../rollout/gates/standing.js';
import type { RevisionInfo, Rollout } from '../rollout/rollout.js';
import { rolloutTargets } from '../rollout/targets.js';
import { commitStatusOf } from './commit-status.js';
import type { Announcement } from './events.js';
import type { HistoryEntry } from './ports.js';
import type { LoopState } from './state.js';

/** Rollouts that are new, or in another phase or step than before, oldest first. */
export function movedRollouts(
  before: LoopState,
  after: LoopState,
): readonly { readonly from: Rollout | undefined; readonly to: Rollout }[] {
  return [...after.durable.rollouts.values()].flatMap((to) => {
    const from = before.durable.rollouts.get(to.id);
    const hasMoved = from === undefined || from.phase !== to.phase || from.step !== to.step;
    return hasMoved ? [{ from, to }] : [];
  });
}

/** The evidence of each transition: phase, step, reason and the verdicts that it rests on. */
export function historyOf(before: LoopState, after: LoopState, nowMs: number): HistoryEntry[] {
  return movedRollouts(before, after).map(({ from, to }) => ({
    atMs: nowMs,
    kind: 'rollout',
    json: JSON.stringify({
      rollout: to.id,
      mesh: to.mesh,
      revision: to.revision.id,
      from: from?.phase,
      phase: to.phase,
      step: to.step,
      reason: to.reason,
      // A new step has no verdicts yet: what led here is the evidence of the one before.
      gates:
        from !== undefined && to.step > from.step
          ? to.evidence.at(-1)?.gates
          : to.gates.map(withoutMemory),
    }),
  }));
}

export function announcementsOf(
  before: LoopState,
  after: LoopState,
  nowMs: number,
): readonly Announcement[] {
  return movedRollouts(before, after).flatMap(({ from, to }) => {
    const event = eventOf(from, to);
    return event === undefined ? [] : [announce(event, to, after, nowMs)];
  });
}

function eventOf(from: Rollout | undefined, to: Rollout): Announcement['event'] | undefined {
  const isFirstStep = from === undefined || (from.step < 0 && to.step === 0);
  switch (to.phase) {
    case 'Progressing':
      return isFirstStep ? 'rollout.started' : undefined;
    case 'WaitingForApproval':
      // Who resumed it knows.
      return from?.phase === 'Paused' ? undefined : 'rollout.waitingForApproval';
    case 'Paused':
      return 'rollout.paused';
    case 'RollingBack':
      // Said when it is decided, not when the last proxy has acknowledged: minutes matter.
      return to.outcome === 'Aborted' ? 'rollout.aborted' : 'rollout.rolledBack';
    case 'Succeeded':
      return 'rollout.succeeded';
    case 'Superseded':
      return 'rollout.superseded';
    default:
      return undefined;
  }
}

const severityOf: Readonly<Record<Announcement['event'], Announcement['severity']>> = {
  'rollout.started': 'info',
  'rollout.succeeded': 'info',
  'rollout.rolledBack': 'error',
  'rollout.aborted': 'warning',
  'rollout.paused': 'warning',
  'rollout.waitingForApproval': 'warning',
  'rollout.superseded': 'info',
  'revision.accepted': 'info',
  'revision.rejected': 'error',
};

const verbOf: Readonly<Record<Announcement['event'], string>> = {
  'rollout.started': 'started',
  'rollout.succeeded': 'succeeded',
  'rollout.rolledBack': 'rolled back',
  'rollout.aborted': 'aborted',
  'rollout.paused': 'paused',
  'rollout.waitingForApproval': 'waits for approval',
  'rollout.superseded': 'superseded',
  'revision.accepted': 'accepted',
  'revision.rejected': 'rejected',
};

function announce(
  event: Announcement['event'],
  rollout: Rollout,
  state: LoopState,
  nowMs: number,
): Announcement {
  const targets = rolloutTargets(rollout, state.load, nowMs);
  const facts = [
    ...(event === 'rollout.rolledBack' || event === 'rollout.aborted' ? [heldFact(rollout)] : []),
    ...targets.map((target) => ({
      title: target.virtualNode,
      value: `${target.served} % (applied ${target.applied} %, desired ${target.desired} %)`,
    })),
    ...rollout.gates
      .filter((result) => result.text !== '')
      .map((result) => ({ title: `gate ${result.name}`, value: result.text })),
    { title: 'commit', value: describeCommit(rollout.revision) },
  ];
  const tookMs = nowMs - rollout.startedAtMs;
  const took = event === 'rollout.succeeded' ? ` in ${renderDuration(roundToSecond(tookMs))}` : '';
  return {
    id: idOf(event, rollout),
    event,
    severity: severityOf[event],
    mesh: rollout.mesh,
    rollout: rollout.id,
    services: [...new Set([rollout.name, ...rollout.group.resources.map(({ ref }) => ref.name)])],
    revision: rollout.revision,
    title: `${rollout.mesh}: ${rollout.name} ${verbOf[event]}${took}`,
    text: rollout.reason,
    facts,
    commit: commitStatusOf(state, rollout),
    atMs: nowMs,
  };
}

/** After a failure Git and the mesh differ until somebody acts, which no other figure says. */
function heldFact({ id }: Rollout): Announcement['facts'][number] {
  return {
    title: 'held',
    value:
      'Git asks for this change, the mesh serves what was there before it. ' +
      `Next: revert or mend it in Git, or headgate retry ${id}`,
  };
}

/**
 * A step is entered once and a rollout ends once, but it may be paused time and again, and wait both for a
 * word on the step that it is at and for one on the next.
 */
function idOf(event: Announcement['event'], rollout: Rollout): string {
  const { id, step, pausedAtMs } = rollout;
  const isAtGate = event === 'rollout.waitingForApproval' && !hasLeftStep(rollout);
  const when = event === 'rollout.paused' ? `/${pausedAtMs}` : '';
  return `${id}/${event}/${step}${when}${isAtGate ? '/gate' : ''}`;
}

/** `0123456789ab checkout v2`, with the repository before it where there are several. */
function describeCommit({ repository, id, title }: RevisionInfo): string {
  return [repository, id.slice(0, 12), title].filter((word) => word !== undefined).join(' ');
}

/** `commit 0123456789ab`, or `commit 0123456789ab of payments`. */
function nameCommit({ repository, id }: RevisionInfo): string {
  return `commit ${id.slice(0, 12)}${repository === undefined ? '' : ` of ${repository}`}`;
}

function roundToSecond(durationMs: number): number {
  return Math.round(durationMs / 1000) * 1000;
}

/** A revision was seen for the first time: accepted, or with errors, and then nothing of it is served. */
export function announceRevision(
  state: LoopState,
  repository: string,
  nowMs: number,
): readonly Announcement[] {
  const { attempted, problems } = state.durable.repositories.get(repository) ?? { problems: [] };
  if (attempted === undefined) {
    return [];
  }
  const errors = problems.filter((problem) => problem.severity === 'error');
  const isRejected = errors.length > 0;
  const event = isRejected ? 'revision.rejected' : 'revision.accepted';
  const found = plural(errors.length, 'problem');
  const [first] = errors;
  const shown = (isRejected ? errors : problems).slice(0, 5).map((problem) => ({
    title: `${renderOrigin(problem)} ${problem.code}`,
    value: problem.message,
  }));
  const verdict = isRejected ? `rejected: ${found}` : 'accepted';
  return [
    {
      // A branch may come back to a commit that was seen before.
      id: `revision/${repository && `${repository}/`}${attempted.id}/${verbOf[event]}/${nowMs}`,
      event,
      severity: severityOf[event],
      mesh: '',
      revision: attempted,
      title: `${nameCommit(attempted)} ${verdict}`,
      text: isRejected
        ? 'What was served stays served. Nothing of this commit is applied.'
        : attempted.title,
      facts: shown,
      commit: {
        context: 'headgate/validate',
        state: isRejected ? 'failure' : 'success',
        description:
          first === undefined
            ? `valid${problems.length > 0 ? `, ${problems.length} warnings` : ''}`
            : `${found}; ${renderOrigin(first)} ${first.code} ${first.message}`,
      },
      atMs: nowMs,
    },
  ];
}
