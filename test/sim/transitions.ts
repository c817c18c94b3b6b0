/**
 * What a transition of one rollout must rest on, worked out again from nothing but proxies, counted
 * requests and time, without the engine's own notions of who is concerned and what was measured.
 */
import { canonicalJson, contentHash } from '../../controller/base/hash.js';
import type { ResourceChange } from '../../controller/diff/change.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import type { LoopState } from '../../controller/loop/state.js';
import type { LatencyGate, QueryGate } from '../../controller/mesh/gates.js';
import {
  findResource,
  type Mesh,
  type Route,
  resourceKey,
  type VirtualRouter,
} from '../../controller/mesh/model.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import { normalizeWeights, wholeWeight } from '../../controller/mesh/weights.js';
import type { Measurement } from '../../controller/rollout/gates/measurement.js';
import type { LatencySample } from '../../controller/rollout/latency-history.js';
import type { LoadSample } from '../../controller/rollout/load-history.js';
import { isInWave, wavePlace } from '../../controller/rollout/mix.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';
import type { Sample } from '../../controller/rollout/sample-log.js';
import { moveTargets } from '../../controller/rollout/weights.js';
import { heldProblems } from './limit-problems.js';
import {
  continueProblems,
  quorumProblems,
  turnProblems,
  wayBackProblems,
} from './order-problems.js';
import { meshWith, runningOf } from './served.js';
import { reachedResources } from './simulated-fleet.js';

/** When and as which publication a rollout's present position was served first. */
export interface ServedSince {
  readonly key: string;
  readonly generation: number;
  readonly atMs: number;
}

/** A command that a person gave, by the id of its rollout. */
export interface GivenCommand {
  readonly rollout: string;
  readonly command: string;
}

/** By what the step was decided: not what is there now, where it was durable before the loop heard of it. */
export interface Decided {
  readonly nowMs: number;
  /** Those who were connected, by id. */
  readonly proxies: ReadonlyMap<string, ProxyStatus>;
  /** What people had asked for in this very event. */
  readonly commands: readonly GivenCommand[];
  /** What proxies counted since the process started. */
  readonly samples: readonly LoadSample[];
  /** How long answers took that proxies counted since then. */
  readonly latencies: readonly LatencySample[];
  /** The newest answer that a measured gate was given, and since the process runs. */
  readonly answerTo: (rollout: string, gate: string) => Measurement | undefined;
}

export interface Moment {
  readonly before: LoopState;
  readonly after: LoopState;
  readonly nowMs: number;
  readonly decided: Decided;
  readonly ackDeadlineMs: number;
  /** When the running process started. */
  readonly startedAtMs: number;
  /** What was applied at any time, oldest first. */
  readonly applied: readonly Mesh[];
  /** True where a person asked for it in this very event. */
  readonly wasCommanded: (rollout: string, command: string) => boolean;
}

/** What is wrong with the step from `from` to `to`, one sentence each. */
export function transitionProblems(
  from: Rollout,
  to: Rollout,
  since: ServedSince,
  moment: Moment,
): readonly string[] {
  const problems: string[] = [];
  const { nowMs } = moment.decided;
  const isLate = nowMs - since.atMs >= moment.ackDeadlineMs;
  const owing = concernedProxies(from, moment).filter(
    (proxy) => proxy.ackedGeneration < since.generation,
  );
  const wasWaiting = ['Progressing', 'Completing', 'RollingBack'].includes(from.phase);
  const hasArrived = to.phase === 'Baking' || (isEnded(to.phase) && to.phase !== 'Superseded');
  if (wasWaiting && hasArrived && to.phase !== from.phase && owing.length > 0 && !isLate) {
    problems.push(`went on to ${to.phase} without ${owing.map(({ id }) => id).join(', ')}`);
  }
  problems.push(...heldProblems(from, to, moment));
  const hasEntered = to.step > from.step && !isEnded(to.phase);
  if (hasEntered && isFrozen(from, nowMs) && !isApprovedAt(to, to.step)) {
    problems.push(`entered step ${to.step} in a freeze`);
  }
  if (from.isQueued === true && to.isQueued !== true && to.phase === 'Pending') {
    problems.push(...turnProblems(from, moment));
  }
  if (from.phase === 'Progressing' && to.phase === 'Baking') {
    problems.push(...quorumProblems(from, since, moment));
  }
  if (to.step > from.step + 1) {
    problems.push(`skipped from step ${from.step} to ${to.step}`);
  }
  const isLeaving =
    from.phase === 'Baking' && (to.step > from.step || isWaitingOrCompleting(to.phase));
  if (isLeaving && !moment.wasCommanded(from.id, 'promote')) {
    const young = owing.filter(
      (proxy) => nowMs - Math.max(proxy.connectedAtMs, since.atMs) < moment.ackDeadlineMs,
    );
    problems.push(...leavingProblems(from, young, moment));
  }
  if (to.waveShare > from.waveShare && to.phase !== 'Completing') {
    problems.push(...waveProblems(to, moment));
  }
  const isStopped = to.phase === 'Paused' || to.phase === 'RollingBack';
  const isTold =
    isStopped &&
    to.reason.includes('was not complete after') &&
    !to.reason.includes(', its maximum');
  const wasEntered = moment.nowMs - Math.max(since.atMs, moment.startedAtMs);
  if (isTold && from.phase !== to.phase && wasEntered < from.plan.stepDeadlineMs) {
    problems.push(`met its deadline ${wasEntered} ms after it was entered`);
  }
  return problems.map((problem) => `${to.id} ${problem}`);
}

/** By the text of the minute, as the policy writes it. */
function isFrozen({ plan }: Rollout, nowMs: number): boolean {
  const minute = new Date(nowMs).toISOString().slice(0, 16);
  return (plan.windows?.freeze ?? []).some(({ from, to }) => from <= minute && minute < to);
}

export function isApprovedAt({ approvals }: Rollout, step: number): boolean {
  return approvals.some((one) => one.step === step);
}

function isWaitingOrCompleting(phase: Rollout['phase']): boolean {
  return phase === 'WaitingForApproval' || phase === 'Completing';
}

/**
 * Proxies that are given a resource of the group before, during or after the rollout, with whatever else
 * was under way when the transition was decided: what begins in the same event was served to nobody yet.
 */
export function concernedProxies(
  { mesh: name, group }: Rollout,
  { before, decided }: Moment,
): readonly ProxyStatus[] {
  const applied = before.durable.meshes.get(name)?.applied;
  if (applied === undefined) {
    return [];
  }
  const underWay = runningOf(before.durable).filter(
    ({ mesh, phase, isQueued }) => mesh === name && phase !== 'RollingBack' && isQueued !== true,
  );
  const resources = [...underWay.flatMap((one) => one.group.resources), ...group.resources];
  const versions = [applied, meshWith(applied, resources)];
  const keys = new Set(group.resources.map(({ ref }) => `${ref.kind}/${ref.name}`));
  return [...decided.proxies.values()].filter((proxy) => {
    const node = proxy.identity.resource?.name ?? '';
    const reached = versions.flatMap((version) => reachedResources(version, node) ?? []);
    return reached.some(({ kind, name }) => keys.has(`${kind}/${name}`));
  });
}

function leavingProblems(
  from: Rollout,
  young: readonly ProxyStatus[],
  moment: Moment,
): readonly string[] {
  const { decided } = moment;
  const { plan } = from;
  const step = plan.steps[from.step];
  const isDeadline =
    plan.onStepDeadline === 'promote' &&
    decided.nowMs - from.stepEnteredAtMs >= plan.stepDeadlineMs;
  // What was decided before a jump of the clock was decided by times that are gone.
  if (step === undefined || isDeadline || decided.nowMs < moment.startedAtMs) {
    return [];
  }
  const problems: string[] = [];
  if (young.length > 0) {
    problems.push(`left step ${from.step} without ${young.map(({ id }) => id).join(', ')}`);
  }
  const sinceMs = Math.max(from.ackedAtMs ?? 0, moment.startedAtMs);
  if (decided.nowMs - sinceMs < step.bakeMs) {
    problems.push(`left step ${from.step} after ${decided.nowMs - sinceMs} ms of baking`);
  }
  // A preview gives the canary no request to judge it by.
  const isPreview =
    step.stage === 'weights' &&
    step.progress === 0 &&
    step.mirror === undefined &&
    plan.steps.slice(0, from.step + 1).every(({ match }) => match === undefined);
  for (const gate of plan.gates) {
    if (gate.kind === 'query') {
      problems.push(...answerProblems(from, gate, sinceMs, moment));
      continue;
    }
    if (isPreview) {
      continue;
    }
    if (gate.kind === 'compare') {
      problems.push(...harmProblems(from, sinceMs, moment));
      continue;
    }
    if (gate.kind !== 'successRate' && gate.kind !== 'latency') {
      throw new Error(`the simulation does not judge by ${gate.kind}`);
    }
    const judgedMs = from.gates.find(({ name }) => name === gate.name)?.judgedUntilMs ?? 0;
    const fromMs = Math.max(sinceMs, judgedMs, decided.nowMs - gate.windowMs);
    const isSeen = judgedBy(from, step.stage);
    const isCounted = (sample: Sample) => sample.fromMs >= fromMs && isSeen(sample);
    const { all, wrong, most } =
      gate.kind === 'latency'
        ? { ...slowAnswers(decided.latencies.filter(isCounted), gate), most: 1 - gate.quantile }
        : { ...errorAnswers(decided.samples.filter(isCounted)), most: 1 - gate.min / 100 };
    // Which nodes answer for configuration is the engine's to say; here all that the wave saw counts.
    const isGood = step.stage === 'config' || wrong / all <= most;
    const isProof = all >= gate.minRequests && isGood;
    if (!isProof && (plan.noData !== 'pass' || all >= gate.minRequests)) {
      const what = gate.kind === 'latency' ? 'slow' : 'failed';
      problems.push(`left step ${from.step} with ${wrong} ${what} of ${all} requests`);
    }
  }
  return problems;
}

interface Answers {
  readonly all: number;
  readonly wrong: number;
}

function errorAnswers(samples: readonly LoadSample[]): Answers {
  const wrong = samples.reduce((sum, { errors }) => sum + errors, 0);
  return { all: samples.reduce((sum, { successes }) => sum + successes, wrong), wrong };
}

function slowAnswers(samples: readonly LatencySample[], { maxMs = 0 }: LatencyGate): Answers {
  const buckets = samples.flatMap((sample) => sample.buckets);
  const countOf = (some: typeof buckets) => some.reduce((sum, [, count]) => sum + count, 0);
  return { all: countOf(buckets), wrong: countOf(buckets.filter(([ms]) => ms > maxMs)) };
}

/** The newest answer speaks of nothing from before the step, and is a number within its bound. */
function answerProblems(
  { id, step, plan }: Rollout,
  gate: QueryGate,
  sinceMs: number,
  { decided }: Moment,
): readonly string[] {
  const answer = decided.answerTo(id, gate.name);
  const isNoData =
    answer?.outcome.kind === 'noData' ||
    (answer?.outcome.kind === 'number' && Number.isNaN(answer.outcome.value));
  if (plan.noData === 'pass' && isNoData) {
    return [];
  }
  const isGood = answer?.outcome.kind === 'number' && answer.outcome.value <= (gate.max ?? 0);
  const isFresh = answer !== undefined && answer.askedAtMs - gate.windowMs >= sinceMs;
  return isGood && isFresh ? [] : [`left step ${step} on the answer ${JSON.stringify(answer)}`];
}

/** A canary that answers half of its requests with errors is not left, unless everybody does. */
function harmProblems(from: Rollout, sinceMs: number, { decided }: Moment): readonly string[] {
  const failing = failingCanary(from, decided.samples, sinceMs);
  return failing.length >= 3 ? [`left step ${from.step} with a canary that fails`] : [];
}

/** How long such a canary may be looked at: a handful of blocks of five seconds prove its harm. */
const harmProvenMs = 45_000;

/** Nor is it left to serve: by the time that its harm is proven, `rollout` goes back or is held. */
export function standingHarmProblems(
  rollout: Rollout,
  samples: readonly LoadSample[],
  startedAtMs: number,
): readonly string[] {
  const { id, phase, plan, step } = rollout;
  if (phase !== 'Baking' || !plan.gates.some(({ kind }) => kind === 'compare')) {
    return [];
  }
  const failing = failingCanary(rollout, samples, Math.max(rollout.ackedAtMs ?? 0, startedAtMs));
  const [first] = failing;
  const servedMs = first === undefined ? 0 : (failing.at(-1)?.toMs ?? 0) - first.fromMs;
  return servedMs > harmProvenMs
    ? [`${id} is in step ${step} with a canary that has failed for ${servedMs} ms`]
    : [];
}

/** What was counted of the canary since, where half of that failed and of the others' next to nothing. */
function failingCanary(
  from: Rollout,
  samples: readonly LoadSample[],
  sinceMs: number,
): readonly LoadSample[] {
  if (from.plan.steps[from.step]?.stage !== 'weights') {
    return [];
  }
  const isCanary = judgedBy(from, 'weights');
  const counted = samples.filter((sample) => sample.fromMs >= sinceMs);
  const share = (samples: readonly LoadSample[]) => {
    const errors = samples.reduce((sum, sample) => sum + sample.errors, 0);
    return errors / samples.reduce((sum, sample) => sum + sample.issued, 0);
  };
  const canary = counted.filter(isCanary);
  const others = counted.filter((sample) => !isCanary(sample));
  return share(canary) > 0.45 && !(share(others) > 0.05) ? canary : [];
}

/** Weights are judged by the nodes that gain, configuration by what proxies of the wave saw. */
function judgedBy(rollout: Rollout, stage: 'config' | 'weights'): (sample: Sample) => boolean {
  if (stage === 'config') {
    return ({ instance }) => isInWave(rollout, instance);
  }
  const gaining = new Set(
    movingTargets(rollout).flatMap((target) =>
      target.desired > target.applied ? [target.virtualNode] : [],
    ),
  );
  return ({ virtualNode }) => gaining.has(virtualNode);
}

export function movingTargets(rollout: Rollout): ReturnType<typeof moveTargets> {
  return rollout.group.resources.flatMap(({ before, after }) =>
    before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter'
      ? after.routes.flatMap((route) => {
          const previous = before.routes.find(({ name }) => name === route.name);
          return previous === undefined ? [] : moveTargets(previous, route, 0);
        })
      : [],
  );
}

/** Shares of `served` outside those of its two ends, one sentence each. */
export function between(
  before: VirtualRouter,
  after: VirtualRouter,
  served: VirtualRouter,
): readonly string[] {
  // Requests that match are none that weights are for.
  const weighted = served.routes.filter(({ part }) => part !== 'match');
  return weighted.flatMap((route) => {
    const ends = [before, after].map(({ routes }) =>
      routes.find(({ name }) => name === route.name),
    );
    const [from, to, now] = [ends[0], ends[1], route].map((one) => one && sharesOf(one));
    if (from === undefined || to === undefined || now === undefined) {
      return [];
    }
    const problems = [...now].flatMap(([node, share]) => {
      const [left = 0, right = 0] = [from.get(node), to.get(node)];
      const isInside = share >= Math.min(left, right) && share <= Math.max(left, right);
      return isInside ? [] : [`gives ${node} ${share}, between ${left} and ${right}`];
    });
    const isMixed = route.targets.some(
      ({ virtualNode }) =>
        now.get(virtualNode) !== from.get(virtualNode) &&
        now.get(virtualNode) !== to.get(virtualNode),
    );
    const sum = route.targets.reduce((total, { weight }) => total + weight, 0);
    return isMixed && sum !== wholeWeight
      ? [...problems, `serves ${sum} in place of the whole`]
      : problems;
  });
}

function sharesOf({ targets }: Route): ReadonlyMap<string, number> {
  const shares = normalizeWeights(targets.map(({ weight }) => weight));
  const byNode = new Map<string, number>();
  for (const [index, { virtualNode }] of targets.entries()) {
    byNode.set(virtualNode, (byNode.get(virtualNode) ?? 0) + (shares[index] ?? 0));
  }
  return byNode;
}

/** A wave is as large as its step says, or just large enough for one proxy that is there. */
function waveProblems(to: Rollout, moment: Moment): readonly string[] {
  const step = to.plan.steps[to.step];
  if (step?.stage !== 'config' || to.waveShare <= step.progress / 100) {
    return [];
  }
  const instances = new Set(concernedProxies(to, moment).map(({ identity }) => identity.instance));
  const reached = [...instances].filter((one) => wavePlace(to.id, one) < to.waveShare);
  return reached.length === 1
    ? []
    : [`gives ${step.progress} % to ${reached.length} of ${instances.size} proxies`];
}

/** Problems of a rollout that is new in `moment.after`. */
export function startProblems(rollout: Rollout, moment: Moment): readonly string[] {
  const { durable } = moment.after;
  const mesh = durable.meshes.get(rollout.mesh);
  const own = new Set(rollout.group.resources.map(({ ref }) => resourceKey(ref)));
  const others = [...durable.rollouts.values()].filter(
    (other) => other.id !== rollout.id && !isEnded(other.phase),
  );
  const problems = [...wayBackProblems(rollout, moment), ...continueProblems(rollout, moment)];
  const shared = others
    .filter((other) => other.group.resources.some(({ ref }) => own.has(resourceKey(ref))))
    .map((other) => `${rollout.id} has resources of ${other.id}`);
  problems.push(...shared);
  for (const held of [...moment.before.durable.held.values(), ...failedNow(moment)]) {
    const keys = Object.keys(held.wanted);
    const isTouched = keys.some((key) => own.has(key));
    const isFree = moment.wasCommanded(held.rollout, 'retry');
    if (mesh !== undefined && isTouched && !isFree && isWantedStill(held.wanted, mesh)) {
      const rest = rollout.group.resources.filter(({ ref }) => !keys.includes(resourceKey(ref)));
      if (rest.length === 0 || !dangles(mesh.applied, rest)) {
        problems.push(`${rollout.id} tries again what is held as ${held.rollout}`);
      }
    }
  }
  return problems;
}

/** What failed in this very step is held from now on. What it wanted, its record does not have any more. */
function failedNow({ before, after }: Moment) {
  const isBack = ({ id }: Rollout) => {
    const phase = after.durable.rollouts.get(id)?.phase;
    return phase === 'RolledBack' || phase === 'Aborted';
  };
  return runningOf(before.durable)
    .filter(isBack)
    .map(({ id, group }) => ({
      rollout: id,
      wanted: Object.fromEntries(
        group.resources.map(({ ref, after: wanted }) => [
          resourceKey(ref),
          wanted === null ? null : contentHash(canonicalJson(wanted)),
        ]),
      ),
    }));
}

function dangles(applied: Mesh, changes: readonly ResourceChange[]): boolean {
  return danglingReferences(meshWith(applied, changes)).length > 0;
}

function isWantedStill(
  wanted: Readonly<Record<string, string | null>>,
  { applied, desired }: { readonly applied: Mesh; readonly desired: Mesh },
): boolean {
  return Object.entries(wanted).every(([key, hash]) => {
    const [, kind = '', ...name] = key.split('/');
    const ref = { kind: kind as 'VirtualNode', name: name.join('/') };
    const [left, right] = [applied, desired].map((mesh) => {
      const resource = findResource(mesh, ref);
      return resource === undefined ? null : contentHash(canonicalJson(resource));
    });
    return right === hash && left !== right;
  });
}
