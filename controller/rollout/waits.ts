/**
 * What a rollout waits for, for people: the answer to "why does nothing happen" in each phase. Derived from
 * what is seen now and never stored; the rollout's own `reason` says how it came to be where it is.
 */
import { assertNever } from '../base/assert.js';
import { nameSome } from '../base/name-some.js';
import type { ConcernedProxy } from './concerned.js';
import { hasLeftStep } from './enter-step.js';
import { openGates, unansweredGates } from './gates/standing.js';
import { servedStep } from './mix.js';
import type { Rollout } from './rollout.js';
import { takenBy } from './world.js';

/** Undefined where it has ended. `proxies`: those that are connected and that it concerns. */
export function waitsFor(
  rollout: Rollout,
  proxies: readonly ConcernedProxy[],
  nowMs: number,
): string | undefined {
  switch (rollout.phase) {
    case 'Pending':
      return rollout.isQueued
        ? 'what its policy is after, or promote'
        : waitsForProxies(rollout, proxies);
    case 'WaitingForApproval':
      return waitsForPeople(rollout);
    case 'WaitingForWindow':
      return 'a time at which its policy lets steps be entered, or approve';
    case 'Paused':
      return 'resume, promote or abort';
    case 'Progressing':
    case 'Completing':
    case 'RollingBack':
      return waitsForProxies(rollout, proxies);
    case 'Baking':
      return waitsForWhileBaking(rollout, proxies, nowMs);
    case 'Succeeded':
    case 'RolledBack':
    case 'Aborted':
    case 'Superseded':
      return undefined;
    default:
      return assertNever(rollout.phase);
  }
}

/** When the bake time of the present step ends. */
export function bakedAtMs(rollout: Rollout, nowMs: number): number {
  return (rollout.ackedAtMs ?? nowMs) + (servedStep(rollout)?.bakeMs ?? 0);
}

function waitsForPeople(rollout: Rollout): string {
  if (hasLeftStep(rollout)) {
    return `approval of step ${rollout.step + 2} of ${rollout.plan.steps.length}`;
  }
  return unansweredGates(rollout)
    .map(({ kind, name }) => `${kind === 'manual' ? 'release of' : 'approval of'} gate ${name}`)
    .join(', ');
}

/** Who has not acknowledged; where nobody has yet to, that the loop has not looked since. */
function waitsForProxies(rollout: Rollout, proxies: readonly ConcernedProxy[]): string {
  const owing = proxies.filter(({ hasAcked }) => !hasAcked);
  if (proxies.length === 0) {
    return 'the next look at it: no connected proxy is concerned';
  }
  if (owing.length === 0) {
    return 'the next look at it: every proxy has acknowledged it';
  }
  const short = needsQuorum(rollout) ? missingQuorum(rollout, proxies) : '';
  return `acknowledgement by ${nameSome(owing.map(({ id }) => id))}${short}`;
}

/** False at the ends of a rollout, where whoever is silent is left out in any case. */
function needsQuorum({ phase, plan }: Rollout): boolean {
  const movesTraffic = plan.steps.length > 0 || plan.returnsTo !== undefined;
  return phase === 'Progressing' || phase === 'Baking' || (phase === 'Pending' && movesTraffic);
}

/** ` (0 of 1 have, the quorum is 50 %)`; empty where enough have. */
function missingQuorum(rollout: Rollout, proxies: readonly ConcernedProxy[]): string {
  const { quorum } = rollout.plan.proxies;
  const { count, of, share } = takenBy(rollout, proxies);
  return share < quorum ? ` (${count} of ${of} have, the quorum is ${quorum} %)` : '';
}

/** Of a step that baked already: by who came since, or by more, where those that had it have left. */
function waitsForAcknowledgement(
  owing: readonly ConcernedProxy[],
  young: readonly ConcernedProxy[],
  short: string,
): readonly string[] {
  if (short !== '') {
    return [`acknowledgement by ${nameSome(owing.map(({ id }) => id))}${short}`];
  }
  return young.length === 0
    ? []
    : [`acknowledgement by ${nameSome(young.map(({ id }) => id))}, connected since`];
}

function waitsForWhileBaking(
  rollout: Rollout,
  proxies: readonly ConcernedProxy[],
  nowMs: number,
): string {
  const untilMs = bakedAtMs(rollout, nowMs);
  const until = new Date(untilMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const owing = proxies.filter(({ hasAcked }) => !hasAcked);
  const young = owing.filter(({ connectedAtMs }) => connectedAtMs > (rollout.ackedAtMs ?? 0));
  const short = missingQuorum(rollout, proxies);
  const waits = [
    ...(nowMs < untilMs ? [`bake time until ${until}`] : []),
    ...(proxies.length === 0 ? ['a proxy, since none that it concerns is connected'] : []),
    ...waitsForAcknowledgement(owing, young, short),
    ...openGates(rollout).map(({ name, text }) =>
      text === '' ? `gate ${name}` : `gate ${name}: ${text}`,
    ),
  ];
  return waits.length === 0 ? 'the next look at it: it has baked' : waits.join('; ');
}
