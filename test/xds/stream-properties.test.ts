/**
 * The stream against a model of Envoy, under random publications, delays, refusals and reconnects. What
 * must hold at every step the model checks; at the end it must have exactly the snapshot, with nothing
 * left to say. Time stands still, since a stream that needs its timeouts has stalled; only where Envoy
 * reconnects may it need them.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type {
  EncodedResource,
  ResourceReference,
  ResourceSet,
  Snapshot,
} from '../../controller/envoy/snapshot.js';
import { createStream, doubtsOf, next, publish } from '../../controller/xds/stream.js';
import type { StreamState, Variant } from '../../controller/xds/stream-state.js';
import { EnvoyModel } from '../support/envoy-model.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

/** Of each kind of run; `HEADGATE_SEEDS` runs more. */
const seeds = Number(process.env.HEADGATE_SEEDS ?? 40);
const publications = 12;
const startMs = 1_000;
const ackTimeoutMs = 3_000;

type Refer = (references: readonly ResourceReference[]) => readonly ResourceReference[];

const once: Refer = (references) => references;
/** So often that the list is one of those that are asked and not gone through. */
const often: Refer = (references) => Array(20).fill(references).flat();

/** A consistent snapshot over a few names, so that they come, change and go often. */
function randomSnapshot(
  random: Random,
  variants: () => string,
  {
    refer,
    endpointVariants = variants,
  }: { readonly refer: Refer; readonly endpointVariants?: () => string },
): Snapshot {
  const some = (names: readonly string[], least: number): readonly string[] => {
    const chosen = names.filter(() => random() < 0.5);
    return chosen.length >= least ? chosen : names.slice(0, least);
  };
  const clusters = some(['a', 'b', 'c', 'd', 'e'], 1);
  const routes = some(['r', 's', 't'], 1);
  return plainSnapshot({
    cluster: clusters.map((name) =>
      plainResource(name, variants(), refer([{ type: 'endpoint', name: `${name}-ends` }])),
    ),
    endpoint: clusters.map((name) => plainResource(`${name}-ends`, endpointVariants())),
    route: routes.map((name) =>
      plainResource(
        name,
        variants(),
        refer(some(clusters, 1).map((cluster) => ({ type: 'cluster', name: cluster }))),
      ),
    ),
    listener: some(['k', 'l'], 1).map((name) =>
      plainResource(
        name,
        variants(),
        refer(some(routes, 1).map((route) => ({ type: 'route', name: route }))),
      ),
    ),
  });
}

/** The part of `snapshot` that Envoy asks for: routes and endpoints that something refers to. */
function reachable(
  snapshot: Snapshot,
): Record<'cluster' | 'endpoint' | 'listener' | 'route', string[]> {
  const label = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;
  const referred = new Set(
    [...snapshot.cluster.byName.values(), ...snapshot.listener.byName.values()]
      .flatMap((resource) => resource.references)
      .map((reference) => `${reference.type} ${reference.name}`),
  );
  return {
    cluster: [...snapshot.cluster.byName.values()].map(label).sort(),
    endpoint: [...snapshot.endpoint.byName.values()]
      .filter(({ name }) => referred.has(`endpoint ${name}`))
      .map(label)
      .sort(),
    listener: [...snapshot.listener.byName.values()].map(label).sort(),
    route: [...snapshot.route.byName.values()]
      .filter(({ name }) => referred.has(`route ${name}`))
      .map(label)
      .sort(),
  };
}

function describe(snapshot: Snapshot): string {
  return [snapshot.cluster, snapshot.listener, snapshot.route]
    .flatMap((set) => [...set.byName.values()])
    .map((resource) => String(resource.any))
    .join(' ');
}

interface Run {
  readonly variant: Variant;
  readonly seed: number;
  readonly badShare: number;
  readonly reconnectShare: number;
  readonly refer: Refer;
}

function run({ variant, seed, badShare, reconnectShare, refer }: Run, log: string[]): void {
  const random = seededRandom(seed);
  const known = new Map<string, ResourceSet>();
  const latest = new Map<string, EncodedResource>();
  let streams = 0;
  let nowMs = startMs;
  const open = (): StreamState => {
    streams += 1;
    return createStream(
      {
        variant,
        types: ['cluster', 'endpoint', 'listener', 'route', 'secret'],
        noncePrefix: `${streams}-`,
        ackTimeoutMs,
        findSet: (type, version) => known.get(`${type} ${version}`),
        findLatest: (type, name) => latest.get(`${type} ${name}`),
        keepSet: (type, set) => known.set(`${type} ${set.version}`, set),
      },
      nowMs,
    );
  };
  const goodVariant = (): string => String(Math.floor(random() * 3));
  const anyVariant = (): string => (random() < badShare ? 'bad' : goodVariant());
  const isBlaming = random() < 0.5;
  // Endpoints are sent many at a time: refused without a name, the good ones would stay out too.
  const anyEndpoints = isBlaming ? anyVariant : goodVariant;
  let stream = open();
  let snapshot: Snapshot | undefined;
  let generation = 0;
  const model = new EnvoyModel({
    log,
    variant,
    stream,
    nowMs: () => nowMs,
    isBad: (resource) => resource.any.includes(':bad'),
    isBlaming,
  });
  const serve = (served: Snapshot): void => {
    snapshot = served;
    generation += 1;
    for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
      known.set(`${type} ${served[type].version}`, served[type]);
      for (const resource of served[type].byName.values()) {
        latest.set(`${type} ${resource.name}`, resource);
      }
    }
    log.push(`published ${generation}: ${describe(served)}`);
    publish(stream, served, generation, nowMs);
  };
  const move = (): boolean => {
    const moves = [
      ...(model.canDeliverRequest() ? [() => model.deliverRequest()] : []),
      ...(model.canDeliverResponse() ? [() => model.deliverResponse()] : []),
    ];
    moves[Math.floor(random() * moves.length)]?.();
    return moves.length > 0;
  };
  const reconnect = (): void => {
    const doubts = doubtsOf(stream);
    stream = open();
    stream.doubts = doubts;
    log.push('reconnected');
    model.connect({ stream });
    publish(stream, snapshot, generation, nowMs);
    while (model.canDeliverRequest()) {
      model.deliverRequest();
    }
  };
  model.connect();
  for (let count = 0; count < publications; count += 1) {
    serve(randomSnapshot(random, anyVariant, { refer, endpointVariants: anyEndpoints }));
    for (let moves = Math.floor(random() * 12); moves > 0; moves -= 1) {
      if (random() < 0.8) {
        model.pump();
      }
      move();
    }
    if (random() < reconnectShare) {
      reconnect();
    }
  }
  // Innocent resources of refused responses are not sent again either, so the last ones are new.
  const last = randomSnapshot(random, () => 'last', { refer });
  serve(last);
  let timeouts = reconnectShare > 0 ? 8 : 0;
  for (let turns = 0; turns < 2_000 && timeouts >= 0; turns += 1) {
    model.pump();
    if (!move()) {
      // Envoy may have lost the endpoints of a cluster that it warms and that is to go.
      timeouts -= 1;
      nowMs += ackTimeoutMs;
    }
  }
  assert.is(next(stream, nowMs), undefined, 'something is left to send');
  const expected = reachable(last);
  for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
    assert.equal(model.held(type), expected[type], `${type} is not what was published`);
    assert.is(stream.types.get(type)?.status.state, 'synced', `status of ${type}`);
  }
  assert.is(stream.ackedGeneration, generation, 'the newest publication is not acknowledged');
}

for (const variant of ['sotw', 'delta'] as const) {
  for (const [title, shares] of [
    ['20, 21, 24–26, 39: random publications reach Envoy, no route lacks its cluster', [0, 0]],
    ['10, 34: refused resources are not sent again, and the rest goes on', [0.1, 0]],
    ['35: a proxy that reconnects in mid-change loses no cluster that it routes to', [0, 0.3]],
    ['10, 35: refusals and reconnects together end in exactly what is published', [0.1, 0.3]],
  ] as const) {
    test(`${variant}: ${title}`, () => {
      const [badShare, reconnectShare] = shares;
      for (let seed = 1; seed <= seeds; seed += 1) {
        for (const refer of [once, often]) {
          const log: string[] = [];
          try {
            run({ variant, seed, badShare, reconnectShare, refer }, log);
          } catch (error) {
            const story = log.slice(-60).join('\n');
            const where = `seed ${seed}, referring ${refer.name}`;
            throw new Error(`${where}: ${(error as Error).message}\n${story}`, { cause: error });
          }
        }
      }
    });
  }
}

test.run();
