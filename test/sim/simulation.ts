/**
 * The real loop among simulated Git, Envoys, disk and people, all drawn from one seed: commits, traffic,
 * refusals, commands, crashes at any instant and a store that fails. After every event the inspector
 * looks at what holds always; at the end the faults stop and everything must come to rest.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import { Loop } from '../../controller/loop/loop.js';
import { ordersOf } from '../../controller/loop/orders.js';
import { isEnded, type Rollout, type RolloutCommand } from '../../controller/rollout/rollout.js';
import { manualClock } from '../support/clock.js';
import { accepted, revisionIn } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';
import { Inspector } from './inspector.js';
import {
  edited,
  firstWish,
  judged,
  judgedForLong,
  meshOfWish,
  pick,
  releasedOrReverted,
  type Wish,
} from './mesh-wish.js';
import { effectiveFor, runningOf } from './served.js';
import { SimulatedFleet } from './simulated-fleet.js';
import { answeringOf, outcomeOf, type ProviderMood, providerMoods } from './simulated-provider.js';
import { SimulatedStore, type StoreFault } from './simulated-store.js';
import { movingTargets } from './transitions.js';

const ackDeadlineMs = 10_000;

/** By how long the faults are over, everything must have come to rest: a few rollouts, one after another. */
const restSeconds = 600;

/** In every fourth world this node is bad from the start, and commits keep giving it traffic. */
const knownBad = { node: 'a-v3', everySeeds: 4 } as const;

/** In some of these little else happens for long: its harm must be proven. */
const quietEverySeeds = 20;

const commands: readonly RolloutCommand[] = [
  'pause',
  'resume',
  'promote',
  'abort',
  'retry',
  'approve',
];

/** When a person knows that a change has no traffic to be judged by. */
const patienceSeconds = 100;

export class Simulation {
  /** What happened, one line an event: the story of a failure. */
  readonly log: string[] = [];
  private readonly seed: number;
  private random: Random;
  private readonly clock = manualClock(Date.UTC(2026, 0, 1));
  private readonly store = new SimulatedStore(() => this.inspector.decided(this.loop.current()));
  private readonly logger = recordingLogger();
  private readonly fleet: SimulatedFleet;
  private readonly inspector: Inspector;
  private readonly badNodes = new Set<string>();
  /** Answers half of its requests with errors until the faults stop. */
  private alwaysBad: string | undefined;
  private readonly isQuiet: boolean;
  private readonly slowNodes = new Set<string>();
  private readonly wishes: Wish[] = [];
  private provider: ProviderMood = 'fickle';
  private wish: Wish;
  private commits = 0;
  private mayRefuse = true;
  private process = { isAlive: true };
  private loop: Loop;

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.alwaysBad = seed % knownBad.everySeeds === 0 ? knownBad.node : undefined;
    const first = firstWish(this.random);
    this.isQuiet = seed % quietEverySeeds === 0;
    this.wish = this.isQuiet ? judgedForLong(first) : this.alwaysBad ? judged(first) : first;
    this.fleet = new SimulatedFleet({
      effective: (instance) => effectiveFor(this.loop.current().durable, instance),
      send: (event) => this.loop.enqueue(event),
      onPublish: (publication) => this.inspector.published(this.loop.current(), publication),
      nowMs: () => this.clock.now(),
    });
    this.inspector = new Inspector({
      store: this.store,
      fleet: this.fleet,
      logger: this.logger,
      ackDeadlineMs,
      nowMs: () => this.clock.now(),
    });
    this.loop = this.createLoop();
  }

  /**
   * Lets `events` happen, which are numbers: what each is follows from the seed and itself.
   * Problems that were found, with the story up to the first; empty where everything held.
   */
  async run(events: readonly number[]): Promise<readonly string[]> {
    await this.loop.start();
    this.commit(this.wish);
    await this.settle();
    for (const index of events) {
      if (this.inspector.problems.length > 0) {
        break;
      }
      // Each event has chances of its own: without one of them the others are what they were.
      this.random = seededRandom(this.seed * 1_000_003 + index);
      await this.happen();
    }
    if (this.inspector.problems.length === 0) {
      await this.comeToRest();
    }
    await this.loop.stop();
    return this.inspector.problems;
  }

  private createLoop(): Loop {
    const { process } = this;
    return new Loop(
      {
        clock: {
          now: () => this.clock.now(),
          // Timers of a process that was killed never fire.
          after: (delayMs, callback) =>
            this.clock.after(delayMs, () => (process.isAlive ? callback() : undefined)),
        },
        logger: this.logger,
        store: this.store,
        publisher: this.fleet,
        // What is asked is looked up when time passes.
        measurer: { watch: () => {} },
        notificationsFor: (one) => [
          { id: one.id, topic: '', sink: 'chat', createdAtMs: one.atMs, json: JSON.stringify(one) },
        ],
        wakeDispatcher: () => {},
        onState: (state) => this.inspector.moved(state),
      },
      { ackDeadlineMs },
    );
  }

  private async happen(): Promise<void> {
    const chance = this.random();
    if (this.isQuiet && this.random() < 0.7) {
      await this.passQuietly();
      return;
    }
    if (chance < 0.12) {
      this.wish = this.nextWish();
      this.commit(this.wish);
    } else if (chance < 0.2) {
      this.connect();
    } else if (chance < 0.24) {
      this.disconnect();
    } else if (chance < 0.45) {
      this.answer();
    } else if (chance < 0.52) {
      this.command();
    } else if (chance < 0.535) {
      this.changeTraffic();
    } else if (chance < 0.55) {
      this.changeProvider();
    } else if (chance < 0.57) {
      await this.crash();
    } else if (chance < 0.61) {
      this.breakStore();
    } else if (chance < 0.63) {
      this.jump();
    } else if (chance < 0.66) {
      this.reconnect();
    } else {
      await this.pass(pick(this.random, [1, 1, 2, 5]));
    }
    await this.settle();
  }

  /** Until nothing is queued. A process whose commit was cut off is dead, and another one starts. */
  private async settle(): Promise<void> {
    await turn();
    if (this.store.hasKilled) {
      await this.crash();
    }
    this.inspector.inspect(this.loop.current(), this.loop.isStoring());
    const problem = this.inspector.problems[0];
    if (problem !== undefined) {
      this.log.push(`! ${problem}`);
    }
  }

  private nextWish(): Wish {
    if (this.isQuiet || (this.alwaysBad !== undefined && this.random() < 0.5)) {
      return releasedOrReverted(this.wish);
    }
    const old = this.wishes.length > 0 && this.random() < 0.25;
    return old ? pick(this.random, this.wishes) : edited(this.random, this.wish);
  }

  private commit(wish: Wish): void {
    this.commits += 1;
    this.wishes.push(wish);
    const id = `c${this.commits}`;
    const { services, policy, also } = wish;
    this.log.push(
      `commit ${id} ${[services, policy, also].map((one) => JSON.stringify(one)).join(' ')}`,
    );
    this.inspector.committed(id);
    const revision = { id, author: 'ann', title: id, committedAtMs: this.clock.now() };
    // What is read from Git shares no object with what was read before.
    this.send(accepted(revision, [JSON.parse(JSON.stringify(meshOfWish(wish)))]));
  }

  private send(event: LoopEvent): void {
    this.loop.enqueue(event);
  }

  private connect(): void {
    const nodes = meshOfWish(this.wish).virtualNodes.map((node) => node.name);
    const node = this.random() < 0.6 ? 'web' : pick(this.random, nodes);
    const instance = `${node}/${pick(this.random, ['1', '2', '3', '4'])}`;
    this.log.push(`connect ${instance}`);
    this.fleet.connect(instance, node);
  }

  private disconnect(): void {
    const proxies = [...this.fleet.byId.values()];
    if (proxies.length > 0) {
      const proxy = pick(this.random, proxies);
      this.log.push(`disconnect ${proxy.id}`);
      this.fleet.disconnect(proxy, this.random() < 0.5);
    }
  }

  /** A stream breaks, and the proxy opens another: it has what it had. */
  private reconnect(): void {
    const proxies = [...this.fleet.byId.values()];
    if (proxies.length > 0) {
      const proxy = pick(this.random, proxies);
      this.log.push(`reconnect ${proxy.id}`);
      this.fleet.disconnect(proxy, false);
      this.fleet.connect(proxy.instance, proxy.node, proxy.acked);
    }
  }

  /** Somebody sets the clock, or the machine slept. */
  private jump(): void {
    const hours = pick(this.random, [-8760, -24, -1, 1, 24, 8760]);
    this.log.push(`clock ${hours}h`);
    this.clock.jump(hours * 3_600_000);
    this.inspector.jumped();
    // Two jumps that cancel out before anybody looked are none.
    this.send({ kind: 'tick' });
  }

  private answer(): void {
    for (const proxy of this.fleet.byId.values()) {
      if (this.random() < 0.03) {
        proxy.isSilent = !proxy.isSilent;
        this.log.push(`${proxy.isSilent ? 'silent' : 'heard again'} ${proxy.id}`);
      }
      if (this.random() < 0.7) {
        this.fleet.answer(proxy, this.mayRefuse);
      }
    }
    this.log.push('answer');
  }

  private command(): void {
    const rollouts = [...this.loop.current().durable.rollouts.values()].slice(-4);
    if (rollouts.length > 0) {
      this.give(pick(this.random, rollouts), pick(this.random, commands));
    }
  }

  private give(rollout: Rollout, command: RolloutCommand): void {
    this.log.push(`${command} ${rollout.id} (${rollout.phase})`);
    this.inspector.commanded(rollout, command);
    void this.loop
      .command({ rollout: rollout.id, command, by: 'ann', reason: '' })
      .then((reply) => this.inspector.replied(this.loop.current(), rollout, command, reply));
  }

  private changeProvider(): void {
    this.provider = pick(this.random, providerMoods);
    this.log.push(`the provider is ${this.provider}`);
  }

  /** Canaries go wrong more often than what has served for long. */
  private changeTraffic(): void {
    const canaries = runningOf(this.loop.current().durable).flatMap((rollout) =>
      movingTargets(rollout).flatMap(({ virtualNode, applied, desired }) =>
        desired > applied ? [virtualNode] : [],
      ),
    );
    const all = meshOfWish(this.wish).virtualNodes.map((node) => node.name);
    const nodes = canaries.length > 0 ? canaries : all;
    const isCleared = this.badNodes.size > 0;
    this.badNodes.clear();
    if (!isCleared) {
      this.badNodes.add(pick(this.random, nodes));
    }
    this.slowNodes.clear();
    if (this.random() < 0.7) {
      this.slowNodes.add(pick(this.random, nodes));
    }
    this.log.push(`bad: ${[...this.badNodes].join(' ')} slow: ${[...this.slowNodes].join(' ')}`);
  }

  private breakStore(): void {
    const faults: readonly StoreFault[] = ['refused', 'failedAfterwards', 'none', 'none'];
    const kills: readonly StoreFault[] = ['killedBefore', 'killedAfter'];
    this.store.fault = pick(this.random, [...faults, ...kills]);
    this.log.push(`store: ${this.store.fault}`);
  }

  private async crash(): Promise<void> {
    this.log.push('crash');
    this.process.isAlive = false;
    this.process = { isAlive: true };
    this.store.hasKilled = false;
    this.store.fault = 'none';
    this.fleet.forgetAll();
    this.inspector.restarted();
    this.loop = this.createLoop();
    await this.loop.start();
    // The source reads its branch again, whatever the store knows.
    this.commits -= 1;
    this.wishes.pop();
    this.commit(this.wish);
    await turn();
  }

  private async pass(seconds: number): Promise<void> {
    this.log.push(`tick ${seconds}s`);
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1000);
      // What the tick decides it decides without the report that comes after it.
      await turn();
      const isBad = (node: string) => this.badNodes.has(node) || node === this.alwaysBad;
      const samples = this.fleet.countRequests(this.clock.now(), isBad);
      this.inspector.counted(samples);
      this.send({ kind: 'loadReported', samples });
      const latencies = this.fleet.measureLatencies(samples, (node) => this.slowNodes.has(node));
      this.inspector.timed(latencies);
      this.send({ kind: 'statsReported', latencies, health: [] });
      this.answerGates();
      await turn();
    }
  }

  /** Seconds in which somebody calls, and everybody answers. */
  private async passQuietly(): Promise<void> {
    if (this.fleet.byId.size === 0) {
      this.fleet.connect('web/1', 'web');
    }
    await this.settle();
    for (const proxy of this.fleet.byId.values()) {
      this.fleet.answer(proxy, false);
    }
    await this.pass(3);
    await this.settle();
  }

  /** The provider of the measured gates: right, wrong, talking nonsense, dead, or late with an old answer. */
  private answerGates(): void {
    for (const order of ordersOf(this.loop.current().durable)) {
      const answering = answeringOf(this.provider, this.random);
      const askedAtMs = this.clock.now() - (answering === 'late' ? 5000 : 0);
      if (askedAtMs < order.notBeforeMs && answering !== 'late') {
        continue;
      }
      const outcome = outcomeOf(answering, askedAtMs);
      if (outcome !== undefined) {
        const measurement = { askedAtMs, answeredAtMs: this.clock.now(), outcome };
        this.inspector.measured(order, measurement);
        this.send({ kind: 'gateMeasured', order: order.id, measurement });
      }
    }
  }

  /** No fault any more, and a person who approves, resumes and tries again. */
  private async comeToRest(): Promise<void> {
    this.log.push('faults stop');
    this.store.fault = 'none';
    this.mayRefuse = false;
    this.badNodes.clear();
    this.alwaysBad = undefined;
    this.slowNodes.clear();
    this.provider = 'good';
    this.fleet.connect('web/5', 'web');
    for (let second = 0; second < restSeconds && !this.isAtRest(); second += 1) {
      for (const proxy of this.fleet.byId.values()) {
        proxy.isSilent = false;
        this.fleet.answer(proxy, false);
      }
      if (second % 5 === 0 || second > patienceSeconds) {
        this.helpAlong(second);
      }
      this.clock.advance(200);
      await this.pass(1);
      await this.settle();
      if (this.inspector.problems.length > 0) {
        return;
      }
    }
    this.inspector.rested(this.loop.current(), this.isAtRest());
  }

  private helpAlong(second: number): void {
    const { rollouts, held } = this.loop.current().durable;
    for (const rollout of rollouts.values()) {
      const isOpen = !isEnded(rollout.phase) && rollout.phase !== 'Completing';
      if (second > patienceSeconds && isOpen && rollout.phase !== 'RollingBack') {
        // Nobody calls what it changes, so there will never be anything to judge it by.
        this.give(rollout, 'promote');
      } else if (rollout.phase === 'WaitingForApproval') {
        this.give(rollout, 'approve');
      } else if (rollout.phase === 'Paused') {
        this.give(rollout, 'resume');
      } else if (held.has(rollout.id)) {
        this.give(rollout, 'retry');
      }
    }
  }

  private isAtRest(): boolean {
    const { durable } = this.loop.current();
    const isRunning = [...durable.rollouts.values()].some(({ phase }) => !isEnded(phase));
    const { applied, desired } = revisionIn(durable);
    const isNewest = desired?.id === `c${this.commits}`;
    const isReached = isNewest && applied?.id === desired?.id;
    return !isRunning && durable.held.size === 0 && isReached && this.loop.isStoring();
  }
}
