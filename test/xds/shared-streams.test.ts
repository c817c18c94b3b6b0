/**
 * Streams that share whole sets say exactly what streams say that look at every resource: the same random
 * requests, answers and publications are played to one of each, and every response must be the same, but
 * for the order of what is in it.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { ResourceSet, ResourceType, Snapshot } from '../../controller/envoy/snapshot.js';
import { namedList } from '../../controller/xds/named-list.js';
import type { NameOverlay, Overlay } from '../../controller/xds/overlay.js';
import {
  createStream,
  doubtsOf,
  next,
  publish,
  receive,
  type TypedRequest,
} from '../../controller/xds/stream.js';
import type { Response, StreamState, Variant } from '../../controller/xds/stream-state.js';
import type { Held } from '../../controller/xds/type-state.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

const seeds = Number(process.env.HEADGATE_SEEDS ?? 60);
const steps = 80;
const ackTimeoutMs = 3_000;
const types = ['cluster', 'endpoint', 'listener', 'route'] as const;
const namesOf = {
  cluster: ['a', 'b', 'c', 'gone'],
  endpoint: ['a', 'b', 'c', 'gone'],
  listener: ['k', 'l', 'gone'],
  route: ['r', 's', 'gone'],
} as const;

function randomSnapshot(random: Random): Snapshot {
  const some = <T>(list: readonly T[]): readonly T[] => list.filter(() => random() < 0.7);
  const variant = (): string => String(Math.floor(random() * 3));
  const clusters = some(['a', 'b', 'c']);
  const routes = some(['r', 's']);
  return plainSnapshot({
    cluster: clusters.map((name) => plainResource(name, variant(), [{ type: 'endpoint', name }])),
    endpoint: some(clusters).map((name) => plainResource(name, variant())),
    route: routes.map((name) =>
      plainResource(
        name,
        variant(),
        some(clusters).map((cluster) => ({ type: 'cluster', name: cluster })),
      ),
    ),
    listener: some(['k', 'l']).map((name) =>
      plainResource(
        name,
        variant(),
        some(routes).map((route) => ({ type: 'route', name: route })),
      ),
    ),
  });
}

/** Makes `stream` keep every name by itself: no whole set is ever in its maps. */
function takeApart(stream: StreamState): void {
  for (const { acked, pending, changed, asked } of stream.types.values()) {
    for (const overlay of [acked, pending] as Overlay<Held | undefined>[]) {
      overlay.addWhole = (set) => {
        for (const [name, resource] of set.byName) {
          overlay.set(name, resource);
        }
      };
      overlay.rebase = () => {};
    }
    for (const names of [changed, asked] as NameOverlay[]) {
      names.addWhole = (set) => {
        for (const name of set.byName.keys()) {
          names.add(name);
        }
      };
    }
  }
}

/** A shared stream, and the one that it is to equal. */
class Pair {
  private readonly variant: Variant;
  private readonly known = new Map<string, ResourceSet>();
  private streams: readonly StreamState[];
  readonly unanswered = new Map<ResourceType, string[]>();
  readonly versions = new Map<ResourceType, string>();
  private opened = 0;
  private snapshot: Snapshot | undefined;
  private generation = 0;
  nowMs = 1_000;

  constructor(variant: Variant) {
    this.variant = variant;
    this.streams = this.open();
  }

  private open(): readonly StreamState[] {
    this.opened += 1;
    const options = {
      variant: this.variant,
      types: [...types, 'secret'],
      noncePrefix: `${this.opened}-`,
      ackTimeoutMs,
      findSet: (type: ResourceType, version: string) => this.known.get(`${type} ${version}`),
      findLatest: () => undefined,
      keepSet: (type: ResourceType, set: ResourceSet) => {
        this.known.set(`${type} ${set.version}`, set);
      },
    } as const;
    const [shared, plain] = [createStream(options, this.nowMs), createStream(options, this.nowMs)];
    takeApart(plain);
    return [shared, plain];
  }

  reconnect(): void {
    const doubts = this.streams.map((stream) => doubtsOf(stream));
    this.streams = this.open();
    for (const [index, stream] of this.streams.entries()) {
      stream.doubts = doubts[index] ?? new Map();
    }
    this.unanswered.clear();
    this.publish(this.snapshot);
  }

  publish(snapshot: Snapshot | undefined): void {
    this.snapshot = snapshot;
    this.generation += 1;
    for (const type of types) {
      const set = snapshot?.[type];
      if (set !== undefined) {
        this.known.set(`${type} ${set.version}`, set);
      }
    }
    this.both((stream) => publish(stream, snapshot, this.generation, this.nowMs));
  }

  receive(request: TypedRequest): void {
    this.both((stream) => receive(stream, request, this.nowMs));
  }

  /** Sends what is due. */
  pump(): void {
    for (let count = 0; count < 20; count += 1) {
      const response = this.both((stream) => told(next(stream, this.nowMs)));
      if (response === undefined) {
        return;
      }
      this.versions.set(response.type, response.version);
      const nonces = this.unanswered.get(response.type) ?? [];
      this.unanswered.set(response.type, [...nonces, response.nonce]);
    }
    throw new Error('responses without end');
  }

  private both<T>(act: (stream: StreamState) => T): T {
    const [shared, plain] = this.streams.map(act) as [T, T];
    assert.equal(shared, plain);
    // What was asked for and is gone may be noted or not; only what is said of it counts.
    const statuses = this.streams.map((stream) => [
      stream.ackedGeneration,
      ...[...stream.types.values()].map(({ type, status, ...state }) => [
        type,
        status.state,
        status.version,
        [...state.changed].sort(),
        state.changed.size,
        state.acked.size,
        state.pending.size,
        [...state.acked].map(([name, held]) => `${name} ${held?.version}`).sort(),
        [...state.pending].map(([name, held]) => `${name} ${held?.version}`).sort(),
      ]),
    ]);
    assert.equal(statuses[0], statuses[1]);
    return shared;
  }
}

/** What can be told of a response whatever the order in it. */
function told(response: Response | undefined) {
  return (
    response && {
      type: response.type,
      version: response.version,
      nonce: response.nonce,
      resources: response.resources.map(({ name, version }) => `${name} ${version}`).sort(),
      removed: [...response.removed].sort(),
    }
  );
}

function run(variant: Variant, seed: number, log: string[]): void {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const pair = new Pair(variant);
  /** Mostly what whole fleets ask for, else anything. */
  const someNames = (type: (typeof types)[number]): readonly string[] => {
    const all = namesOf[type];
    const wildcard = type === 'cluster' || type === 'listener' ? ['*'] : [];
    return pick([[], [], all, all.slice(0, -1), wildcard, [pick(all)], [...wildcard, pick(all)]]);
  };
  const ask = (type: (typeof types)[number], answers: { nonce: string; error?: string }): void => {
    const names = random() < 0.4 ? [] : someNames(type);
    const isNew = random() < 0.5;
    const request: TypedRequest =
      variant === 'sotw'
        ? {
            kind: 'sotw',
            type,
            versionInfo: random() < 0.7 ? (pair.versions.get(type) ?? '') : 'old',
            resourceNames: namedList(isNew ? names : namesOf[type].slice(0, -1)),
            ...answers,
          }
        : {
            kind: 'delta',
            type,
            subscribe: namedList(isNew ? names : []),
            unsubscribe: namedList(isNew || random() < 0.7 ? [] : someNames(type)),
            initialVersions: new Map(random() < 0.3 ? [[pick(namesOf[type]), 'old']] : []),
            ...answers,
          };
    log.push(JSON.stringify(request, (_, value) => (value instanceof Set ? [...value] : value)));
    pair.receive(request);
  };
  const moves: readonly (() => void)[] = [
    () => ask(pick(types), { nonce: '' }),
    ...[1, 2, 3].map(() => () => {
      const type = pick(types);
      const [nonce, ...others] = pair.unanswered.get(type) ?? [];
      pair.unanswered.set(type, others);
      const error = random() < 0.15 ? { error: `${pick(namesOf[type])}: bad` } : {};
      ask(type, nonce === undefined ? { nonce: '' } : { nonce, ...error });
    }),
    () => {
      log.push('published');
      pair.publish(randomSnapshot(random));
    },
    () => {
      pair.nowMs += pick([10, ackTimeoutMs]);
    },
    () => {
      if (random() < 0.2) {
        log.push('reconnected');
        pair.reconnect();
      }
    },
  ];
  for (let step = 0; step < steps; step += 1) {
    pick(moves)();
    if (random() < 0.7) {
      pair.pump();
    }
  }
}

for (const variant of ['sotw', 'delta'] as const) {
  test(`${variant}: what streams share changes nothing of what they say`, () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const log: string[] = [];
      try {
        run(variant, seed, log);
      } catch (error) {
        const story = log.join('\n');
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${story}`, { cause: error });
      }
    }
  });
}

test.run();
