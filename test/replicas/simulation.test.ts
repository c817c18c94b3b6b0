/**
 * Three replicas on simulated time and a simulated database, with faults drawn from a seed: replicas are cut
 * off, paused, killed and started anew, answers get lost, the database loses commits. After every event:
 * one leader an epoch, epochs rise, no replica publishes a lower number than before, and a number is the
 * same content on every replica.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import type { Clock, Publication } from '../../controller/loop/ports.js';
import { Member } from '../../controller/replicas/member.js';
import { edited, firstWish, meshOfWish, pick } from '../sim/mesh-wish.js';
import { manualClock } from '../support/clock.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';
import { SimulatedDatabase } from './simulated-database.js';

const simulation = suite('replicas, simulated');
const leaseMs = 15_000;
const seeds = Number(process.env.HEADGATE_SEEDS ?? 10);
const eventsPerSeed = 120;

for (const [name, lossy] of [
  ['partitions, pauses, kills and lost answers', false],
  ['the same with lost commits', true],
] as const) {
  simulation(name, async () => {
    let leads = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      leads += await run(seed, lossy);
    }
    assert.ok(leads > seeds, `${leads} terms in ${seeds} seeds`);
  });
}

simulation.run();

interface Replica {
  readonly member: Member;
  readonly name: string;
  isPaused: boolean;
  isAlive: boolean;
  generation: number;
}

/** How many terms there were. */
async function run(seed: number, lossy: boolean): Promise<number> {
  const random = seededRandom(seed);
  const clock = manualClock();
  const database = new SimulatedDatabase(clock, leaseMs);
  const contents = new Map<number, string>();
  const problems: string[] = [];
  let starts = 0;
  let wish = firstWish(random);
  let commits = 0;
  const start = async (): Promise<Replica> => {
    starts += 1;
    const name = `r${starts}`;
    const replica: { -readonly [K in keyof Replica]?: Replica[K] } = { name, generation: 0 };
    replica.isPaused = false;
    replica.isAlive = true;
    const held: (() => void)[] = [];
    const own: Clock = {
      now: () => clock.now(),
      // What falls due while it is paused happens when it goes on; of one that was killed, never.
      after: (delayMs, callback) =>
        clock.after(delayMs, () => {
          const fire = () => (replica.isAlive ? callback() : undefined);
          if (replica.isPaused) {
            held.push(fire);
          } else {
            fire();
          }
        }),
    };
    replica.member = new Member(
      {
        database: database.open(name),
        clock: own,
        logger: recordingLogger(),
        publisher: {
          proxies: () => [],
          publish: (publication) => {
            if (replica.isAlive) {
              check(replica as Replica, publication);
            }
          },
        },
        replica: name,
        describe: () => ({ name, version: '1', xds: '', http: '' }),
        notificationsFor: () => [],
        onState: () => {},
        duties: () => ({
          measurer: { watch: () => {} },
          wakeDispatcher: () => {},
          sinks: () => [],
          start: () => {},
          pollNow: () => {},
          stop: async () => {},
        }),
      },
      { leaseMs, ackDeadlineMs: 10_000 },
    );
    resumes.set(name, () => {
      for (const fire of held.splice(0)) {
        fire();
      }
    });
    await replica.member.start(new Map());
    void replica.member.join();
    return replica as Replica;
  };
  const resumes = new Map<string, () => void>();
  const check = (replica: Replica, publication: Publication): void => {
    const { generation } = publication;
    if (generation < replica.generation) {
      problems.push(`${replica.name} publishes ${generation} after ${replica.generation}`);
    }
    replica.generation = generation;
    const text = contentOf(publication);
    const known = contents.get(generation);
    if (known !== undefined && known !== text) {
      problems.push(`publication ${generation} is another one on ${replica.name}`);
    }
    contents.set(generation, text);
  };
  const replicas = [await start(), await start(), await start()];
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 6; round += 1) {
      await turn();
    }
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500);
      await settle();
    }
  };
  let copy: ReturnType<SimulatedDatabase['backUp']> | undefined;
  /** The newest publication by then. */
  let copiedAt = 0;
  await pass(3_000);
  for (let event = 0; event < eventsPerSeed && problems.length === 0; event += 1) {
    const chance = random();
    const index = Math.floor(random() * replicas.length);
    const replica = replicas[index];
    if (replica === undefined) {
      continue;
    }
    if (chance < 0.25) {
      wish = edited(random, wish);
      commits += 1;
      commit(replicas, wish, commits, clock.now());
    } else if (chance < 0.35) {
      toggle(database.cutOff, replica.name);
    } else if (chance < 0.42) {
      replica.isPaused = !replica.isPaused;
      if (!replica.isPaused) {
        resumes.get(replica.name)?.();
      }
    } else if (chance < 0.47) {
      replica.isAlive = false;
      database.cutOff.delete(replica.name);
      replicas[index] = await start().catch(() => replica);
    } else if (chance < 0.5) {
      database.failsAfterwards = replica.name;
    } else if (lossy && chance < 0.52) {
      copiedAt = copy === undefined ? Math.max(0, ...contents.keys()) : copiedAt;
      copy ??= database.backUp();
    } else if (lossy && chance < 0.53 && copy !== undefined) {
      database.tables = copy;
      // Numbers that it lost may come again where all who saw them are dead or silent.
      for (const generation of contents.keys()) {
        if (generation > copiedAt) {
          contents.delete(generation);
        }
      }
      copy = undefined;
    } else {
      await pass(pick(random, [500, 1_000, 5_000, 20_000]));
    }
    await settle();
    problems.push(...leaseProblems(database, lossy));
  }
  assert.equal(problems, [], `seed ${seed}`);
  if (!lossy) {
    // The faults stop: somebody leads again, and all serve the same.
    database.cutOff.clear();
    for (const replica of replicas) {
      replica.isPaused = false;
      resumes.get(replica.name)?.();
    }
    await pass(40_000);
    const roles = replicas.map(({ member }) => member.view().role).sort();
    assert.equal(roles, ['following', 'following', 'leading'], `seed ${seed}`);
    const [first] = replicas;
    for (const { member } of replicas) {
      assert.is(member.current().generation, first?.member.current().generation, `seed ${seed}`);
    }
  }
  for (const { member } of replicas) {
    await Promise.race([member.stop(), settle()]);
  }
  return database.taken.length;
}

function commit(
  replicas: readonly Replica[],
  wish: ReturnType<typeof firstWish>,
  count: number,
  nowMs: number,
): void {
  const leader = replicas.find(
    ({ member, isPaused }) => !isPaused && member.view().role === 'leading',
  );
  const revision = { id: `c${count}`, author: 'ann', title: '', committedAtMs: nowMs };
  leader?.member.enqueue(accepted(revision, [JSON.parse(JSON.stringify(meshOfWish(wish)))]));
}

function toggle(set: Set<string>, name: string): void {
  if (!set.delete(name)) {
    set.add(name);
  }
}

function leaseProblems(database: SimulatedDatabase, lossy: boolean): readonly string[] {
  const problems: string[] = [];
  const holders = new Map<number, string>();
  for (const { epoch, holder } of database.taken) {
    // What the database lost and no living replica has seen, nobody can know.
    if (!lossy && (holders.get(epoch) ?? holder) !== holder) {
      problems.push(`epoch ${epoch} was led by ${holders.get(epoch)} and ${holder}`);
    }
    holders.set(epoch, holder);
  }
  const epochs = database.tables.commits.map(({ epoch }) => epoch);
  if (epochs.some((epoch, index) => epoch < (epochs[index - 1] ?? 0))) {
    problems.push(`epochs interleave: ${epochs.join(' ')}`);
  }
  for (const { epoch, holder } of database.tables.commits) {
    if (!lossy && holders.get(epoch) !== holder) {
      problems.push(`${holder} wrote in epoch ${epoch}`);
    }
  }
  return problems;
}

const identity: ProxyIdentity = {
  nodeId: 'mesh/demo/virtualNode/web',
  resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
  instance: 'web/1',
  kind: 'envoy',
  egress: { address: '127.0.0.1', port: 15001 },
};

function contentOf(publication: Publication): string {
  const snapshot = publication.snapshotFor(identity);
  return snapshot === undefined
    ? ''
    : JSON.stringify(
        ['cluster', 'listener', 'route'].map((type) => snapshot[type as 'route'].version),
      );
}
