/**
 * The statements on the incremental variant as an outside suite puts them to a server: names alone, no
 * word of what refers to what, on the aggregated stream and on those of one type. The number in a test's
 * name is that of the statement in `test/xds/STATEMENTS.md`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import type { Received } from '../support/xds-client.js';
import { DeltaOutsider, startTarget, type TargetProcess } from '../support/xds-target.js';

const test = suite('incremental, from outside');
let target: TargetProcess;
let nodes = 0;
let node = '';

test.before(async () => {
  target = await startTarget();
});
test.after(async () => {
  assert.is(await target.stop(), 0, 'the program ends well');
});
test.before.each(() => {
  nodes += 1;
  node = `outside-${nodes}`;
});

const full = { cds: ['a', 'b'], eds: ['a', 'b'], lds: ['l', 'm'], rds: ['r', 's'] };
const keys = { cluster: 'cds', endpoint: 'eds', listener: 'lds', route: 'rds' } as const;
const types = ['cluster', 'endpoint', 'listener', 'route'] as const;
const serviceOf: Readonly<Partial<Record<ResourceType, string>>> = {
  cluster: 'cluster.v3.ClusterDiscoveryService/DeltaClusters',
  endpoint: 'endpoint.v3.EndpointDiscoveryService/DeltaEndpoints',
  listener: 'listener.v3.ListenerDiscoveryService/DeltaListeners',
  route: 'route.v3.RouteDiscoveryService/DeltaRoutes',
};

const serve = (state: Readonly<Record<string, readonly string[]>>): Promise<void> =>
  target.serve(node, state);
const stream = (): DeltaOutsider => new DeltaOutsider(target.client().delta(node));
const single = (type: ResourceType): DeltaOutsider =>
  new DeltaOutsider(target.client().delta(node, `/envoy.service.${serviceOf[type]}`));
const sorted = (names: readonly string[]): readonly string[] => [...names].sort();

/** What a response says, in one value. */
const said = ({ names, removed }: Received) => ({ names: sorted(names), removed: sorted(removed) });

/** Asks for all four types as an Envoy does, and has acknowledged all. */
async function settled(): Promise<DeltaOutsider> {
  const proxy = stream();
  proxy.ask('cluster', ['*']);
  await proxy.accept('cluster');
  proxy.ask('endpoint', full.eds);
  await proxy.accept('endpoint');
  proxy.ask('listener', ['*']);
  await proxy.accept('listener');
  proxy.ask('route', full.rds);
  await proxy.accept('route');
  return proxy;
}

for (const type of ['cluster', 'listener'] as const) {
  const names = full[keys[type]];
  const [one, other] = names as [string, string];
  const key = keys[type];

  for (const subscribe of [[], ['*']]) {
    for (const open of [stream, () => single(type)]) {
      test(`D01: [${subscribe}] subscribes to every ${type} (${open.name})`, async () => {
        await serve(full);
        const proxy = open();
        proxy.ask(type, subscribe);
        const response = await proxy.accept(type);
        assert.equal(said(response), { names, removed: [] });
        assert.ok([...response.versions.values()].every((version) => version !== ''));
        await proxy.silence();
        await serve({ ...full, [key]: [...names, 'new'] });
        assert.equal(said(await proxy.accept(type)), { names: ['new'], removed: [] });
      });
    }
  }

  test(`D07: of ${type}, what is gone since the last stream is removed, wildcard`, async () => {
    await serve(full);
    const before = stream();
    before.ask(type);
    const { versions } = await before.accept(type);
    await before.silence();
    before.leave();
    await serve({ ...full, [key]: [one] });
    const after = stream();
    after.ask(type, [], { initial_resource_versions: Object.fromEntries(versions) });
    assert.equal(said(await after.accept(type)), { names: [], removed: [other] });
    await after.silence();
  });

  test(`D13, D14: of ${type}, a name dropped beside "*" is answered: kept, or removed`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, ['*', one, 'none']);
    const first = await proxy.accept(type);
    assert.equal(sorted(first.names), names);
    proxy.drop(type, [one]);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
    proxy.drop(type, ['none']);
    assert.equal(said(await proxy.accept(type)), { names: [], removed: ['none'] });
    await proxy.silence();
  });

  test(`D15: of ${type}, dropping "*" keeps what was named`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, ['*', one]);
    await proxy.accept(type);
    proxy.drop(type, ['*']);
    await proxy.arrived();
    await serve({ ...full, [key]: [one, `${other}:2`] });
    await proxy.silence();
    await serve({ ...full, [key]: [`${one}:2`, `${other}:2`] });
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
  });

  test(`D16: of ${type}, a name after a first request without any keeps the wildcard`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type);
    await proxy.accept(type);
    proxy.ask(type, [one]);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
    await serve({ ...full, [key]: [one, `${other}:2`] });
    assert.equal(said(await proxy.accept(type)), { names: [other], removed: [] });
  });

  test(`D20: of ${type}, nothing is answered with nothing, at once`, async () => {
    await serve({});
    const proxy = stream();
    proxy.ask(type, ['*']);
    assert.equal(said(await proxy.accept(type)), { names: [], removed: [] });
    await proxy.silence();
  });

  test(`27: of ${type}, "*" subscribed and dropped at once leaves nothing`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, ['*'], { resource_names_unsubscribe: ['*'] });
    await proxy.arrived();
    await serve({ ...full, [key]: [`${one}:2`] });
    await proxy.silence();
    proxy.ask(type, [one]);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
  });
}

for (const type of types) {
  const names = full[keys[type]];
  const [one, other] = names as [string, string];
  const key = keys[type];
  // Of clusters that are there nobody is told that they have no endpoints: they are told that it is none.
  const lone = { [key]: names };

  test(`D02: of ${type}, only what changed comes`, async () => {
    await serve(full);
    const proxy = single(type);
    proxy.ask(type, names);
    const first = await proxy.accept(type);
    await serve({ ...full, [key]: [one, `${other}:2`] });
    const second = await proxy.accept(type);
    assert.equal(said(second), { names: [other], removed: [] });
    assert.is.not(second.versions.get(other), first.versions.get(other));
    assert.is.not(second.nonce, first.nonce);
    await proxy.silence();
  });

  test(`D03: of ${type}, what is deleted is removed, and comes again when it is back`, async () => {
    await serve(lone);
    const proxy = stream();
    proxy.ask(type, names);
    const first = await proxy.accept(type);
    await serve({ [key]: [one] });
    assert.equal(said(await proxy.accept(type)), { names: [], removed: [other] });
    await serve(lone);
    const back = await proxy.accept(type);
    assert.equal(said(back), { names: [other], removed: [] });
    assert.is(back.versions.get(other), first.versions.get(other), 'the same content as before');
    await proxy.silence();
  });

  test(`D04, D05: of ${type}, a name that is not there is removed at once, and comes once it is`, async () => {
    await serve(lone);
    const proxy = stream();
    proxy.ask(type, [one, 'later']);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: ['later'] });
    await proxy.silence();
    await serve({ [key]: [...names, 'later'] });
    assert.equal(said(await proxy.accept(type)), { names: ['later'], removed: [] });
  });

  for (const isAcked of [true, false]) {
    test(`D06: of ${type}, versions from the last stream spare what is the same (${isAcked ? '' : 'not '}acknowledged)`, async () => {
      await serve(full);
      const before = stream();
      before.ask(type, names);
      const had = await before.next(type);
      if (isAcked) {
        before.ack(had);
        await before.silence();
      }
      before.leave();
      await serve({ ...full, [key]: [one, `${other}:2`] });
      const after = stream();
      after.ask(type, names, { initial_resource_versions: Object.fromEntries(had.versions) });
      assert.equal(said(await after.accept(type)), { names: [other], removed: [] });
      await after.silence();
    });
  }

  test(`D06: of ${type}, nothing comes where nothing differs`, async () => {
    await serve(full);
    const before = stream();
    before.ask(type, names);
    const { versions } = await before.accept(type);
    await before.silence();
    const after = stream();
    after.ask(type, names, { initial_resource_versions: Object.fromEntries(versions) });
    await after.silence();
    await serve({ ...full, [key]: [`${one}:2`, other] });
    assert.equal(said(await after.accept(type)), { names: [one], removed: [] });
  });

  test(`D08: of ${type}, what is gone since the last stream is removed, named`, async () => {
    await serve(lone);
    const before = stream();
    before.ask(type, names);
    const { versions } = await before.accept(type);
    await before.silence();
    before.leave();
    await serve({ [key]: [one] });
    const after = stream();
    after.ask(type, names, { initial_resource_versions: Object.fromEntries(versions) });
    assert.equal(said(await after.accept(type)), { names: [], removed: [other] });
    await after.silence();
  });

  test(`D09: of ${type}, what is subscribed to again is sent again`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, names);
    await proxy.accept(type);
    proxy.ask(type, [one]);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
    await proxy.silence();
  });

  test(`D10, D11: of ${type}, what is dropped is silent until it is asked for again`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, names);
    await proxy.accept(type);
    proxy.drop(type, [one]);
    await proxy.arrived();
    await serve({ ...full, [key]: [`${one}:2`, other] });
    await proxy.silence();
    proxy.ask(type, [one]);
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
    proxy.drop(type, [...names]);
    await proxy.arrived();
    await serve({ ...full, [key]: [`${one}:3`, `${other}:3`] });
    await proxy.silence();
  });

  test(`D12: of ${type}, dropping what was never asked for is ignored`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [one]);
    await proxy.accept(type);
    proxy.drop(type, ['phantom', other]);
    await proxy.silence();
    await serve({ ...full, [key]: [`${one}:2`, other] });
    assert.equal(said(await proxy.accept(type)), { names: [one], removed: [] });
  });

  test(`D17: of ${type}, what is refused does not come again, and the next version does`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [one]);
    await proxy.accept(type);
    await serve({ ...full, [key]: [`${one}:2`, other] });
    const refused = await proxy.next(type);
    proxy.nack(refused);
    await proxy.silence();
    await serve({ ...full, [key]: [`${one}:3`, other] });
    const next = await proxy.accept(type);
    assert.equal(said(next), { names: [one], removed: [] });
    assert.is.not(next.versions.get(one), refused.versions.get(one));
  });

  test(`D18, D19: of ${type}, a subscription counts with a stale nonce and inside an acknowledgement`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [one]);
    const first = await proxy.next(type);
    proxy.ask(type, [other], { response_nonce: first.nonce });
    const second = await proxy.accept(type);
    assert.equal(said(second), { names: [other], removed: [] });
    await serve({ ...full, [key]: [`${one}:2`, other] });
    await proxy.accept(type);
    proxy.ask(type, ['none'], { response_nonce: first.nonce });
    assert.equal(said(await proxy.accept(type)), { names: [], removed: ['none'] });
  });
}

test('D21: endpoints of a cluster that changed come unasked', async () => {
  await serve(full);
  const proxy = await settled();
  await serve({ ...full, cds: ['a:2', 'b'] });
  const clusters = await proxy.next('cluster');
  assert.equal(said(clusters), { names: ['a'], removed: [] });
  assert.equal(said(await proxy.accept('endpoint')), { names: ['a'], removed: [] });
  proxy.ack(clusters);
  await proxy.silence();
});

test('D22: a change of everything comes as clusters, endpoints, listeners, routes', async () => {
  await serve(full);
  const proxy = await settled();
  for (let round = 2; round < 22; round += 1) {
    const again = (names: readonly string[]) => names.map((name) => `${name}:${round}`);
    await serve({
      rds: again(full.rds),
      lds: again(full.lds),
      eds: again(full.eds),
      cds: again(full.cds),
    });
    for (const type of types) {
      await proxy.accept(type);
    }
  }
  await proxy.silence();
});

test('D23: a new cluster, its endpoints, the route, and only then the old one goes', async () => {
  await serve(full);
  const proxy = await settled();
  await serve({ ...full, cds: ['b', 'n'], eds: ['b', 'n'], rds: ['r:2', 's'] });
  const clusters = await proxy.next('cluster');
  assert.equal(said(clusters), { names: ['n'], removed: [] });
  await proxy.silence();
  proxy.ask('endpoint', ['n']);
  assert.equal(said(await proxy.accept('endpoint')), { names: ['n'], removed: [] });
  await proxy.silence();
  proxy.ack(clusters);
  const routes = await proxy.next('route');
  assert.equal(said(routes), { names: ['r'], removed: [] });
  await proxy.silence();
  proxy.ack(routes);
  const seen = [await proxy.accept('cluster')];
  assert.equal(
    seen.flatMap(({ removed }) => removed),
    ['a'],
  );
});

test('D04: that a name is not there is said once, also while all else waits', async () => {
  const lone = { cds: ['a'], eds: ['a'], lds: ['a'], rds: ['a'] };
  await serve(lone);
  const proxy = stream();
  proxy.ask('cluster', ['*']);
  await proxy.accept('cluster');
  proxy.ask('endpoint', ['a']);
  proxy.nack(await proxy.next('endpoint'));
  // The route waits for the endpoints of the cluster.
  proxy.ask('route', ['a', 'later']);
  assert.equal(said(await proxy.accept('route')), { names: [], removed: ['later'] });
  await proxy.arrived();
  await serve({ ...lone, lds: ['a:2'] });
  await proxy.silence();
});

test.run();
