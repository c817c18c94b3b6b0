/**
 * Bugs of our own, made on purpose: each is told of as `invariant.violated`, and what is served stays as it
 * was, or goes back to what was recorded.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import { guardStep } from '../../controller/loop/invariants.js';
import { Loop } from '../../controller/loop/loop.js';
import type { Publication, StoreWrite } from '../../controller/loop/ports.js';
import { PublicationFactory } from '../../controller/loop/publication.js';
import type { LoopState } from '../../controller/loop/state.js';
import type { Mesh, Route, VirtualRouter } from '../../controller/mesh/model.js';
import { envelopeProblems } from '../../controller/rollout/envelope.js';
import type { Rollout } from '../../controller/rollout/rollout.js';
import { countEvents } from '../../controller/telemetry/count-events.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';
import { manualClock } from '../support/clock.js';
import { meshOf, policyOf } from '../support/mesh.js';
import { noMail } from '../support/no-mail.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';

const invariants = suite('invariants in production');

const web: ProxyIdentity = {
  nodeId: 'mesh/demo/virtualNode/web',
  resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
  instance: 'web1',
  kind: 'envoy',
  egress: { address: '127.0.0.1', port: 15001 },
};
const step = { bakeMs: 0, approval: false } as const;
const policy = policyOf({
  noData: 'pass',
  steps: [
    { ...step, progress: 10, bakeMs: 60_000 },
    { ...step, progress: 50, bakeMs: 60_000 },
    { ...step, progress: 100 },
  ],
});
const meshes = [100, 0].map((v1) =>
  meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [policy]),
);

/** A loop on what `values` has; `commit` keeps it there. */
async function open(values: Map<string, StoreWrite>) {
  const clock = manualClock();
  const recording = recordingLogger();
  const counted = countEvents(recording);
  let last: Publication | undefined;
  const loop = new Loop(
    {
      clock,
      logger: counted,
      store: {
        ...noMail,
        load: async () =>
          [...values.values()].map(({ kind, key, json }) => ({ kind, key, json: json ?? '' })),
        commit: async ({ writes }) => {
          for (const write of writes) {
            if (write.json === null) {
              values.delete(`${write.kind}/${write.key}`);
            } else {
              values.set(`${write.kind}/${write.key}`, write);
            }
          }
        },
      },
      publisher: {
        proxies: () => [],
        publish: (publication) => {
          last = publication;
        },
      },
      measurer: { watch: () => {} },
      notificationsFor: () => [],
      wakeDispatcher: () => {},
      onState: () => {},
    },
    { ackDeadlineMs: 30_000 },
  );
  const settled = async () => {
    for (let round = 0; round < 40; round += 1) {
      await new Promise(setImmediate);
    }
  };
  await loop.start();
  await settled();
  return {
    ...{ loop, settled },
    rollout: () => loop.current().durable.rollouts.get('reviews-1'),
    routes: () => last?.snapshotFor(web)?.route.version,
    told: () =>
      recording.lines
        .filter(({ event }) => event === 'invariant.violated')
        .map((one) => one.fields),
    counted: () => [...counted.counts()].find(([{ event }]) => event === 'invariant.violated')?.[1],
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 30_000) {
        clock.advance(Math.min(left, 30_000));
        await settled();
      }
    },
  };
}

/** What a controller has stored whose rollout bakes in its first step. */
async function baking(): Promise<Map<string, StoreWrite>> {
  const values = new Map<string, StoreWrite>();
  const { loop, settled, rollout } = await open(values);
  for (const [index, mesh] of meshes.entries()) {
    const id = `c${index}`;
    loop.enqueue(accepted({ id, author: 'ann', title: id, committedAtMs: 0 }, [mesh]));
    await settled();
  }
  assert.is(rollout()?.phase, 'Baking');
  await loop.stop();
  return values;
}

function damage(values: Map<string, StoreWrite>, change: (rollout: Rollout) => Rollout): void {
  const key = 'rollout/reviews-1';
  const stored = values.get(key);
  assert.ok(stored?.json);
  const json = JSON.stringify(change(JSON.parse(stored.json) as Rollout));
  values.set(key, { ...stored, json });
}

invariants('H1 a step that would go back is not entered: held, told and counted', async () => {
  const values = await baking();
  damage(values, (rollout) => {
    const [first, second, ...rest] = rollout.plan.steps;
    assert.ok(first && second);
    return {
      ...rollout,
      plan: { ...rollout.plan, steps: [first, { ...second, progress: 1 }, ...rest] },
    };
  });
  const { loop, pass, rollout, routes, told, counted } = await open(values);
  const before = routes();
  await pass(70_000);
  assert.is(rollout()?.phase, 'Paused');
  assert.is(rollout()?.step, 0);
  assert.match(rollout()?.reason ?? '', /^held: it went back from 10 % to 1 %; .* \(H1\)$/);
  assert.is(routes(), before, 'what is served stays');
  assert.equal(told().length, 1);
  assert.is(counted(), 1, 'headgate_events_total, which an alert looks at');
  await loop.stop();
});

invariants(
  'H4 a way back leads to what was recorded, though something else is applied',
  async () => {
    const values = await baking();
    const { loop: whole, routes: good } = await open(new Map(await applied()));
    const wanted = good();
    await whole.stop();
    for (const [key, stored] of values) {
      if (stored.kind.startsWith('applied') && stored.json !== null) {
        values.set(key, { ...stored, json: stored.json.replaceAll('"weight":100', '"weight":70') });
      }
    }
    const { loop, settled, rollout, routes, told } = await open(values);
    void loop.command({ rollout: 'reviews-1', command: 'abort', by: 'ann', reason: '' });
    await settled();
    assert.ok(['RollingBack', 'Aborted'].includes(rollout()?.phase ?? ''), rollout()?.phase);
    assert.is(routes(), wanted, 'byte for byte');
    assert.equal(
      told().map((fields) => fields?.invariant),
      ['H4'],
    );
    await loop.stop();
  },
);

invariants('H8 a step that does not meet its deadline is held', () => {
  const stuck = rolloutOf({ phase: 'Progressing', step: 0, stepEnteredAtMs: 0 });
  const late = 600_000 + 30_000 + 120_001;
  const { state, violations } = guard(stuck, stuck, late);
  assert.equal(
    violations.map(({ invariant }) => invariant),
    ['H8'],
  );
  assert.is(state.durable.rollouts.get('r-1')?.phase, 'Paused');
  assert.equal(guard(stuck, stuck, late - 1).violations, []);
});

for (const [what, from, to, invariant] of [
  ['a step that is skipped', {}, { step: 2, phase: 'Progressing' }, 'H1'],
  ['a step that comes again', { step: 1 }, { step: 0, phase: 'Progressing' }, 'H1'],
  ['a share of the proxies that falls', { waveShare: 0.5 }, { waveShare: 0.2 }, 'H1'],
  ['an end before the last step', {}, { phase: 'Completing', evidence: [left(0, 20)] }, 'H1'],
  ['a step that is left on nothing', {}, { step: 1, phase: 'Progressing' }, 'H9'],
  [
    'a step that is left on the evidence of another',
    { step: 1 },
    { step: 2, phase: 'Progressing', evidence: [left(0, 20)] },
    'H9',
  ],
  [
    'a step that is left on evidence from before its acknowledgements',
    {},
    { step: 1, phase: 'Progressing', evidence: [left(0, 5)] },
    'H9',
  ],
  [
    'a step that is left although a gate failed',
    {},
    { step: 1, phase: 'Progressing', evidence: [left(0, 20, 'fail')] },
    'H9',
  ],
] as const) {
  invariants(`${invariant} ${what} is held where it was`, () => {
    const before = rolloutOf({
      phase: 'Baking',
      step: 0,
      ackedAtMs: 10,
      ...from,
    } as Partial<Rollout>);
    const { state, violations } = guard(before, { ...before, ...to } as Rollout, 30);
    assert.equal(
      violations.map((one) => one.invariant),
      [invariant],
    );
    const held = state.durable.rollouts.get('r-1');
    assert.is(held?.phase, 'Paused');
    assert.is(held?.step, before.step);
    assert.match(held?.reason ?? '', `(${invariant})`);
  });
}

invariants('a way back is never held up, and a step on good evidence neither', () => {
  const before = rolloutOf({ phase: 'Baking', step: 1, ackedAtMs: 10 });
  assert.equal(guard(before, { ...before, phase: 'RollingBack', step: 0 }, 30).violations, []);
  const next = { ...before, phase: 'Progressing', step: 2, evidence: [left(1, 20)] } as Rollout;
  assert.equal(guard(before, next, 30).violations, []);
});

invariants('H1 weights that nobody asked for are not served', () => {
  const [first, second] = meshes;
  assert.ok(first && second);
  const logger = recordingLogger();
  let overshoots = false;
  const factory = new PublicationFactory(logger, (rollouts) => {
    const of = (v1: number) =>
      meshOf([{ name: 'reviews', weights: { v1, v2: 100 - v1 } }], [policy]);
    const after = reviews(of(overshoots ? 40 : 95));
    return rollouts.flatMap((rollout) =>
      rollout.group.resources.map((change) => ({ ...change, after })),
    );
  });
  const reviews = (mesh: Mesh) => {
    const router = mesh.virtualRouters.find(({ name }) => name === 'reviews');
    assert.ok(router);
    return router;
  };
  const group = {
    changes: [],
    resources: [
      {
        ref: { kind: 'VirtualRouter', name: 'reviews' },
        before: reviews(first),
        after: reviews(meshOf([{ name: 'reviews', weights: { v1: 90, v2: 10 } }], [policy])),
      },
    ],
  } as unknown as Rollout['group'];
  const at = (step: number, generation: number) =>
    ({
      durable: {
        meshes: new Map([['demo', { applied: first, desired: second }]]),
        rollouts: new Map([['r-1', rolloutOf({ phase: 'Baking', step, mesh: 'demo', group })]]),
        announced: new Map(),
      },
      secrets: new Map(),
      generation,
    }) as unknown as LoopState;
  const good = factory.create(at(0, 1)).snapshotFor(web)?.route.version;
  assert.ok(good);
  overshoots = true;
  assert.is(factory.create(at(1, 2)).snapshotFor(web)?.route.version, good, 'it keeps what it had');
  const told = logger.lines.filter(({ event }) => event === 'invariant.violated');
  assert.is(told.length, 1);
  assert.match(
    JSON.stringify(told[0]?.fields),
    'would get 4000 of 10000, not between 10000 and 9000',
  );
});

invariants('what was approved after a restart is no violation', () => {
  const scripted = new ScriptedLoop();
  for (const line of [
    'policy steps=10,100 bake=1s approve=2 noData=pass gates=none',
    'connect web1',
    'commit a1 reviews:v1=100,v2=0',
    'ack',
    'commit b2 reviews:v1=0,v2=100',
    'ack',
    'tick 5s',
    'crash',
    'tick 5s',
    'connect web1',
    'ack',
  ]) {
    scripted.run(line);
  }
  const rollout = () => scripted.state.durable.rollouts.get('reviews-1');
  assert.is(rollout()?.phase, 'WaitingForApproval');
  scripted.run('approve reviews-1 seen');
  assert.is(rollout()?.step, 1, rollout()?.reason);
});

invariants('parts of a route, and clients who are drawn for, may get other shares', () => {
  const [before, after] = meshes.map(({ virtualRouters }) => virtualRouters[0] as VirtualRouter);
  assert.ok(before && after);
  const [route] = before.routes as [Route];
  const served = (changed: Partial<Route>) => {
    const router = { ...before, routes: [{ ...route, ...changed }] };
    const ref = { mesh: 'demo', kind: 'VirtualRouter', name: 'reviews' } as const;
    const group = { name: 'reviews', resources: [{ ref, before, after: before }] };
    const rollout = { group, plan: { gates: [] } } as unknown as Rollout;
    return envelopeProblems([rollout], [{ ref, before, after: router }]);
  };
  const wrong = route.targets.map((target, index) => ({ ...target, weight: index * 100 }));
  assert.is(served({ targets: wrong }).length, 2);
  assert.equal(served({ targets: wrong, part: 'match' }), []);
  const split = route.targets.flatMap((target) => [
    { ...target, weight: target.weight / 2 },
    { ...target, weight: target.weight / 2 },
  ]);
  assert.equal(served({ targets: split }), [], 'a target may be named several times');
});

invariants.run();

/** What is stored before any rollout. */
async function applied(): Promise<readonly (readonly [string, StoreWrite])[]> {
  const values = new Map<string, StoreWrite>();
  const { loop, settled } = await open(values);
  const [mesh] = meshes;
  assert.ok(mesh);
  loop.enqueue(accepted({ id: 'c0', author: 'ann', title: '', committedAtMs: 0 }, [mesh]));
  await settled();
  await loop.stop();
  return [...values];
}

function left(step: number, atMs: number, verdict: 'pass' | 'fail' = 'pass') {
  const gate = {
    name: 'errors',
    verdict,
    samples: 1,
    text: '',
    failures: 0,
    judgedUntilMs: 0,
    atMs,
  };
  return { step, atMs, gates: [gate] };
}

function rolloutOf(part: Partial<Rollout>): Rollout {
  return {
    id: 'r-1',
    mesh: 'demo',
    name: 'reviews',
    group: { changes: [], resources: [] },
    plan: {
      ...policy,
      steps: [10, 50, 100].map((progress) => ({ ...step, stage: 'weights', progress })),
      stepDeadlineMs: 600_000,
    },
    waveShare: 1,
    stepEnteredAtMs: 0,
    gates: [],
    evidence: [],
    approvals: [],
    ...part,
  } as unknown as Rollout;
}

function guard(from: Rollout, to: Rollout, nowMs: number) {
  const stateOf = (rollout: Rollout) =>
    ({
      durable: { rollouts: new Map([[rollout.id, rollout]]), meshes: new Map() },
    }) as unknown as LoopState;
  const before = stateOf(from);
  return guardStep({ before, taken: before, after: stateOf(to) }, { ackDeadlineMs: 30_000 }, nowMs);
}
