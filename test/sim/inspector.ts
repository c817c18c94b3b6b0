/**
 * What must hold at every moment of a simulation, whatever has happened. It is told of every state,
 * publication, sample and command, and keeps the problems that it finds; it never throws, since it is
 * called from inside the loop.
 */
import { memo, pairMemo } from '../../controller/base/memo.js';
import type { CommandReply } from '../../controller/loop/events.js';
import { assembleState } from '../../controller/loop/persist.js';
import type { Publication } from '../../controller/loop/ports.js';
import type { DurableState, LoopState } from '../../controller/loop/state.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import { normalizeWeights, wholeWeight } from '../../controller/mesh/weights.js';
import type { Measurement, MeasurementOrder } from '../../controller/rollout/gates/measurement.js';
import type { LatencySample } from '../../controller/rollout/latency-history.js';
import type { LoadSample } from '../../controller/rollout/load-history.js';
import { positionOf } from '../../controller/rollout/mix.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';
import { revisionIn } from '../support/reading.js';
import type { RecordingLogger } from '../support/recording-logger.js';
import { describeState, endpointProblems, untoldProblems } from './at-rest.js';
import { clientProblems, partProblems } from './clients.js';
import { overdueProblems } from './limit-problems.js';
import { supersedeProblems, togetherProblems } from './order-problems.js';
import {
  effectiveFor,
  isServedAlike,
  runningOf,
  sameMesh,
  servedMesh,
  withRetreats,
} from './served.js';
import { reachedText, type SimulatedFleet } from './simulated-fleet.js';
import type { SimulatedStore } from './simulated-store.js';
import {
  between,
  type Decided,
  type GivenCommand,
  type Moment,
  movingTargets,
  type ServedSince,
  standingHarmProblems,
  startProblems,
  transitionProblems,
} from './transitions.js';

export interface InspectorDeps {
  readonly store: SimulatedStore;
  readonly fleet: SimulatedFleet;
  readonly logger: RecordingLogger;
  readonly ackDeadlineMs: number;
  readonly nowMs: () => number;
}

/** A proxy that is not there yet must find everything in order, too. */
const strangers = ['web/0', 'stranger'];

export class Inspector {
  readonly problems: string[] = [];
  private readonly deps: InspectorDeps;
  private before: LoopState | undefined;
  private startedAtMs: number;
  private samples: readonly LoadSample[] = [];
  private latencies: readonly LatencySample[] = [];
  private answers: ReadonlyMap<string, Measurement> = new Map();
  /** What was applied at any time, oldest first. */
  private readonly applied: Mesh[] = [];
  private readonly servedSince = new Map<string, ServedSince>();
  private commands: readonly GivenCommand[] = [];
  private newestCommit = '';
  private inspected: readonly [DurableState, DurableState] | undefined;
  private decision: Decided | undefined;
  private restoredAt: { readonly commits: number; readonly durable: DurableState } | undefined;

  constructor(deps: InspectorDeps) {
    this.deps = deps;
    this.startedAtMs = deps.nowMs();
  }

  committed(id: string): void {
    this.newestCommit = id;
  }

  counted(samples: readonly LoadSample[]): void {
    this.samples = [...this.samples, ...samples];
  }

  timed(latencies: readonly LatencySample[]): void {
    this.latencies = [...this.latencies, ...latencies];
  }

  /** An answer that gates were given. */
  measured({ rollout, gate }: MeasurementOrder, measurement: Measurement): void {
    this.answers = new Map([...this.answers, [`${rollout}/${gate}`, measurement]]);
  }

  commanded({ id }: Rollout, command: string): void {
    this.commands = [...this.commands, { rollout: id, command }];
  }

  /** What `state` led to is durable: it was decided by what is known now, whenever the loop hears of it. */
  decided(state: LoopState): void {
    this.decision = this.known(state);
  }

  private known({ proxies }: LoopState): Decided {
    const { commands, samples, latencies, answers } = this;
    return {
      nowMs: this.deps.nowMs(),
      proxies,
      ...{ commands, samples, latencies },
      answerTo: (rollout, gate) => answers.get(`${rollout}/${gate}`),
    };
  }

  /** `rollout` as it was when the command was given. */
  replied(state: LoopState, { id, phase }: Rollout, command: string, reply: CommandReply): void {
    const rollout = state.durable.rollouts.get(id);
    const isBack = rollout?.phase === 'RollingBack' && phase !== 'RollingBack';
    // With 503 nothing is claimed of what was done.
    const isRefused = !reply.ok && reply.status !== 503;
    if (isRefused && command === 'abort' && isBack && rollout.reason.startsWith('abort by')) {
      this.report(`${id} goes back although its abort was refused`);
    }
    const goesOn =
      rollout !== undefined && rollout.phase !== 'RollingBack' && !isEnded(rollout.phase);
    if (reply.ok && command === 'abort' && goesOn) {
      this.report(`${id} goes on in ${rollout.phase} although its abort was answered yes`);
    }
  }

  /** Times from before it say nothing any more: nothing may rest on them. */
  jumped(): void {
    const nowMs = this.deps.nowMs();
    this.answers = new Map();
    this.startedAtMs = nowMs;
    this.samples = [];
    this.latencies = [];
    for (const [id, since] of this.servedSince) {
      this.servedSince.set(id, { ...since, atMs: nowMs });
    }
  }

  restarted(): void {
    this.before = undefined;
    this.startedAtMs = this.deps.nowMs();
    this.samples = [];
    this.latencies = [];
    this.answers = new Map();
    this.servedSince.clear();
  }

  /** Called before any proxy has it: what is served must be what was stored, or a way back. */
  published(state: LoopState, publication: Publication): void {
    this.before ??= state;
    const stored = withRetreats(this.restored(), state.durable);
    for (const instance of this.instances()) {
      const isStored = isServedAlike(state.durable, stored, instance);
      if (!isStored && !this.wasConfirmed(state.durable, instance)) {
        this.report(`${instance} is served what was not stored`);
      }
    }
    // The caller of everything has every service in its snapshot.
    const web = [...state.proxies.values()].find(
      ({ identity }) => identity.resource?.name === 'web',
    );
    if (web !== undefined) {
      publication.snapshotFor(web.identity);
    }
    if (this.deps.logger.lines.some(({ event }) => event === 'snapshot.inconsistent')) {
      this.report('a snapshot was inconsistent');
    }
    const violated = this.deps.logger.lines.find(({ event }) => event === 'invariant.violated');
    if (violated !== undefined) {
      this.report(`the loop itself says: ${JSON.stringify(violated)}`);
    }
  }

  moved(after: LoopState): void {
    const nowMs = this.deps.nowMs();
    const { before = after } = this;
    const moment: Moment = {
      before,
      after,
      nowMs,
      decided: this.decision ?? this.known(after),
      ackDeadlineMs: this.deps.ackDeadlineMs,
      startedAtMs: this.startedAtMs,
      applied: this.applied,
      wasCommanded: (rollout, command) => this.wasCommanded(rollout, command),
    };
    for (const to of after.durable.rollouts.values()) {
      const from = before.durable.rollouts.get(to.id);
      if (from === undefined) {
        this.report(...startProblems(to, moment));
      } else if (from !== to) {
        const since = this.sinceOf(from, before);
        this.report(...transitionProblems(from, to, since, moment));
        this.checkBlame(from, to, before);
        this.checkClients(from, to, before);
        this.checkWeights(from, to);
      }
      this.note(from, to, after, nowMs);
    }
    this.report(...togetherProblems(moment), ...supersedeProblems(moment));
    this.checkApplied(before.durable, after.durable);
    this.before = after;
  }

  /** After everything that was queued has been carried out. */
  inspect(state: LoopState, isStoring: boolean): void {
    this.commands = [];
    const running = runningOf(state.durable);
    const isCalm = running.length === 0;
    if (isStoring) {
      const nowMs = this.deps.nowMs();
      const { samples, startedAtMs } = this;
      this.report(...running.flatMap((one) => overdueProblems(one, nowMs, startedAtMs)));
      this.report(...running.flatMap((one) => standingHarmProblems(one, samples, startedAtMs)));
    }
    const restored = this.restored();
    const isSame = this.inspected?.[0] === state.durable && this.inspected[1] === restored;
    this.inspected = [state.durable, restored];
    for (const instance of this.instances()) {
      for (const [name, mesh] of isSame ? [] : state.durable.meshes) {
        const served = servedMesh(mesh.applied, running, instance);
        const dangling = danglingIn(served);
        if (dangling.length > 0) {
          this.report(`${name} dangles for ${instance}: ${dangling.join(', ')}`);
        }
        if (isCalm && !sameMesh(served, mesh.applied)) {
          this.report(`${instance} is served something else than what is applied`);
        }
        this.report(...sumProblems(served));
        this.report(...running.flatMap((rollout) => movingProblems(rollout, served)));
        this.checkWayBack(mesh.applied, running, instance);
        this.checkQueued(mesh.applied, running, instance);
      }
      if (isStoring && !isSame && !isServedAlike(restored, state.durable, instance)) {
        this.report(`a restart would serve ${instance} something else`);
      }
    }
    if (!isSame) {
      this.checkServed(state.durable);
    }
    if (isStoring && phasesOf(restored) !== phasesOf(state.durable)) {
      this.report(`stored ${phasesOf(restored)}, is ${phasesOf(state.durable)}`);
    }
    const known = [...state.proxies.values()].map((one) => `${one.id} ${one.ackedGeneration}`);
    const there = [...this.deps.fleet.byId.values()].map((p) => `${p.id} ${p.ackedGeneration}`);
    if (known.sort().join() !== there.sort().join()) {
      this.report(`knows the proxies ${known}, there are ${there}`);
    }
    if (this.deps.store.repeated.length > 0) {
      this.report(`announced as something else before: ${this.deps.store.repeated.join(', ')}`);
    }
  }

  /** After the faults have stopped: everything has come to rest, and nothing that happened is untold. */
  rested({ durable }: LoopState, isAtRest: boolean): void {
    const { store, fleet } = this.deps;
    const { desired } = revisionIn(durable);
    if (!isAtRest) {
      this.report(`does not come to rest: ${describeState(durable)}`);
    } else if (desired?.id !== this.newestCommit) {
      this.report(`rests at ${desired?.id}, not at ${this.newestCommit}`);
    }
    this.report(...untoldProblems(durable, store), ...endpointProblems(durable, fleet));
  }

  private instances(): readonly string[] {
    const connected = [...this.deps.fleet.byId.values()].map(({ instance }) => instance);
    return [...new Set([...strangers, ...connected])];
  }

  /** True where `instance` is served what the running process knows to be stored. */
  private wasConfirmed(durable: DurableState, instance: string): boolean {
    const confirmed = assembleState(this.deps.store.confirmed());
    return isServedAlike(withRetreats(confirmed, durable), durable, instance);
  }

  /** What a restart would find now. */
  private restored(): DurableState {
    const { store } = this.deps;
    if (this.restoredAt?.commits !== store.commits) {
      this.restoredAt = { commits: store.commits, durable: assembleState(store.stored()) };
    }
    return this.restoredAt.durable;
  }

  private sinceOf(rollout: Rollout, state: LoopState): ServedSince {
    const { generation } = state;
    const first = { key: positionKey(rollout), generation, atMs: this.startedAtMs };
    return this.servedSince.get(rollout.id) ?? first;
  }

  private note(
    from: Rollout | undefined,
    rollout: Rollout,
    { generation }: LoopState,
    atMs: number,
  ): void {
    const key = positionKey(rollout);
    const known = this.servedSince.get(rollout.id);
    const isResumed = from?.phase === 'Paused' && rollout.phase !== 'Paused';
    if (known === undefined || known.key !== key) {
      this.servedSince.set(rollout.id, { key, generation, atMs });
    } else if (isResumed) {
      this.servedSince.set(rollout.id, { ...known, atMs });
    }
  }

  private wasCommanded(rollout: string, command: string): boolean {
    const given = [...this.commands, ...(this.decision?.commands ?? [])];
    return given.some((one) => one.rollout === rollout && one.command === command);
  }

  /** Only a rollout that changed what the refusing proxy was served may go back for its refusal. */
  private checkBlame(from: Rollout, to: Rollout, { durable }: LoopState): void {
    // Several proxies may have refused since; the reason names the one that is meant.
    const refusal = this.deps.fleet.refusals.findLast(({ proxy }) =>
      to.reason.startsWith(`proxy ${proxy.id} `),
    );
    const isBlamed = to.phase === 'RollingBack' && from.phase !== to.phase;
    if (!isBlamed || !to.reason.startsWith('proxy ') || refusal === undefined) {
      return;
    }
    const { instance, node } = refusal.proxy;
    const mesh = durable.meshes.get(to.mesh);
    const rollouts = runningOf(durable);
    const others = rollouts.filter(({ id }) => id !== to.id);
    const textOf = (some: readonly Rollout[]) =>
      mesh && reachedText(servedMesh(mesh.applied, some, instance), node);
    if (textOf(rollouts) === textOf(others)) {
      this.report(`${to.id} is blamed for what ${refusal.proxy.id} never had of it`);
    }
  }

  /** Within their two ends, summing to the whole, and never backwards. */
  private checkWeights(from: Rollout, to: Rollout): void {
    const isForward = (rollout: Rollout) =>
      !isEnded(rollout.phase) && rollout.phase !== 'RollingBack';
    const progressOf = (rollout: Rollout) => {
      const position = positionOf(rollout, 'stranger');
      return position.kind === 'mixed' ? position.progress : Number(position.kind === 'desired');
    };
    if (isForward(from) && isForward(to) && to.waveShare === 1 && from.waveShare === 1) {
      if (movingTargets(to).length > 0 && progressOf(to) < progressOf(from)) {
        this.report(`${to.id} moves its weights backwards`);
      }
    }
  }

  /** Clients that stay do, while what they are drawn among stays what it is. */
  private checkClients(from: Rollout, to: Rollout, { durable }: LoopState): void {
    const mesh = durable.meshes.get(to.mesh);
    this.report(...(mesh === undefined ? [] : clientProblems(from, to, mesh.applied)));
  }

  /** What is decided reaches every proxy that is connected. */
  private checkServed(durable: DurableState): void {
    for (const { id, instance, node, served } of this.deps.fleet.byId.values()) {
      const mesh = effectiveFor(durable, instance);
      const reached = mesh && reachedText(mesh, node);
      if (reached !== undefined && reached !== served) {
        this.report(`${id} is not served what was decided`);
      }
    }
  }

  /** What goes back serves nothing of itself any more. */
  private checkWayBack(applied: Mesh, running: readonly Rollout[], instance: string): void {
    const others = running.filter(({ phase }) => phase !== 'RollingBack');
    if (others.length === running.length) {
      return;
    }
    const served = (some: readonly Rollout[]) => servedMesh(applied, some, instance);
    if (!sameMesh(served(running), served(others))) {
      this.report(`${instance} is served what goes back`);
    }
  }

  /** What waits for its turn serves nothing of itself yet. */
  private checkQueued(applied: Mesh, running: readonly Rollout[], instance: string): void {
    const others = running.filter(({ isQueued }) => isQueued !== true);
    if (others.length === running.length) {
      return;
    }
    const served = (some: readonly Rollout[]) => servedMesh(applied, some, instance);
    if (!sameMesh(served(running), served(others))) {
      this.report(`${instance} is served what is queued`);
    }
  }

  /** What is applied changes only by a rollout that has succeeded. */
  private checkApplied(before: DurableState, after: DurableState): void {
    for (const [name, { applied }] of after.meshes) {
      const known = before.meshes.get(name);
      if (this.applied.at(-1) !== applied) {
        this.applied.push(applied);
      }
      if (known === undefined || known.applied === applied) {
        continue;
      }
      const isChanged = !sameMesh(known.applied, applied);
      const succeeded = [...after.rollouts.values()].some(
        ({ id, phase }) => phase === 'Succeeded' && before.rollouts.get(id)?.phase !== 'Succeeded',
      );
      if (isChanged && !succeeded) {
        this.report(`${name} is applied anew and nothing has succeeded`);
      }
    }
  }

  private report(...problems: readonly string[]): void {
    this.problems.push(...problems);
  }
}

const danglingIn = memo(danglingReferences);

/** Of routes whose weights are not the whole, or no weights. */
const sumProblems = memo((mesh: Mesh): readonly string[] =>
  mesh.virtualRouters.flatMap((router) =>
    router.routes.flatMap((route) => {
      const weights = route.targets.map(({ weight }) => weight);
      const sum = normalizeWeights(weights).reduce((left, right) => left + right, 0);
      const isOdd = weights.some((weight) => weight < 0 || !(weight <= wholeWeight));
      return sum !== wholeWeight || isOdd
        ? [`router ${router.name} has the weights ${weights.join(', ')}`]
        : [];
    }),
  ),
);

/** What a rollout moves is between its two ends, and is as much as before. */
const movingProblems = pairMemo((rollout: Rollout, mesh: Mesh): readonly string[] => [
  ...partProblems(rollout, mesh),
  ...rollout.group.resources.flatMap(({ ref, before, after }) => {
    const router = mesh.virtualRouters.find(({ name }) => name === ref.name);
    return before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter' && router
      ? between(before, after, router).map((text) => `${rollout.id} ${text}`)
      : [];
  }),
]);

/** Two positions with the same key are served the same. */
function positionKey(rollout: Rollout): string {
  const { phase, step, waveShare } = rollout;
  if (isEnded(phase) || phase === 'Completing' || phase === 'RollingBack') {
    return phase;
  }
  return `${step}/${waveShare}`;
}

const phasesOf = memo((durable: DurableState): string => {
  const { rollouts, held } = durable;
  const phases = [...rollouts.values()].map(({ id, phase, step }) => `${id} ${phase} ${step}`);
  return [...phases.sort(), ...[...held.keys()].sort(), revisionIn(durable).desired?.id].join(', ');
});
