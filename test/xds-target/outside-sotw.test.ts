/**
 * The statements on the state of the world as an outside suite puts them to a server: names alone, no
 * word of what refers to what, on the aggregated stream and on those of one type. The number in a test's
 * name is that of the statement in `test/xds/STATEMENTS.md`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import { typeUrl } from '../support/xds-client.js';
import { SotwOutsider, startTarget, type TargetProcess } from '../support/xds-target.js';

const test = suite('state of the world, from outside');
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
  cluster: 'cluster.v3.ClusterDiscoveryService/StreamClusters',
  endpoint: 'endpoint.v3.EndpointDiscoveryService/StreamEndpoints',
  listener: 'listener.v3.ListenerDiscoveryService/StreamListeners',
  route: 'route.v3.RouteDiscoveryService/StreamRoutes',
};

const serve = (state: Readonly<Record<string, readonly string[]>>): Promise<void> =>
  target.serve(node, state);
const stream = (id = node): SotwOutsider => new SotwOutsider(target.client().sotw(id));
const single = (type: ResourceType): SotwOutsider =>
  new SotwOutsider(target.client().sotw(node, `/envoy.service.${serviceOf[type]}`));
const sorted = (names: readonly string[]): readonly string[] => [...names].sort();

/** Asks for all four types as an Envoy does, and has acknowledged all. */
async function settled(): Promise<SotwOutsider> {
  const proxy = stream();
  proxy.ask('cluster');
  await proxy.accept('cluster');
  proxy.ask('endpoint', full.eds);
  await proxy.accept('endpoint');
  proxy.ask('listener');
  await proxy.accept('listener');
  proxy.ask('route', full.rds);
  await proxy.accept('route');
  return proxy;
}

for (const type of ['cluster', 'listener'] as const) {
  for (const names of [[], ['*']]) {
    for (const open of [stream, () => single(type)]) {
      test(`S01, S02: [${names}] gets every ${type} at once, and then nothing more (${open.name})`, async () => {
        await serve(full);
        const proxy = open();
        proxy.ask(type, names);
        assert.equal(sorted((await proxy.accept(type)).names), full[keys[type]]);
        await proxy.silence();
        await serve({ ...full, [keys[type]]: ['new', ...full[keys[type]]] });
        assert.is((await proxy.accept(type)).names.length, 3);
        await proxy.silence();
      });
    }
  }
}

test('S03: responses name their control plane', async () => {
  await serve(full);
  const proxy = stream();
  proxy.ask('cluster');
  assert.is.not((await proxy.next('cluster')).controlPlane, '');
});

for (const type of types) {
  test(`S04: of ${type}, a request with a stale nonce is ignored`, async () => {
    await serve(full);
    const names = full[keys[type]];
    const proxy = single(type);
    proxy.ask(type, names);
    const first = await proxy.accept(type);
    await serve({ ...full, [keys[type]]: names.map((name) => `${name}:2`) });
    await proxy.accept(type);
    proxy.ask(type, [...names, 'late'], { response_nonce: first.nonce });
    await proxy.arrived();
    await serve({ ...full, [keys[type]]: [...names.map((name) => `${name}:2`), 'late'] });
    await proxy.silence();
  });

  test(`S05, S06: of ${type}, what is refused does not come again, and the next version does`, async () => {
    await serve(full);
    const [name = ''] = full[keys[type]];
    const proxy = single(type);
    proxy.ask(type, [name]);
    await proxy.accept(type);
    await serve({ ...full, [keys[type]]: [`${name}:2`] });
    const refused = await proxy.next(type);
    proxy.nack(refused);
    await proxy.silence();
    await serve({ ...full, [keys[type]]: [`${name}:3`] });
    const next = await proxy.accept(type);
    assert.equal(next.names, [name]);
    assert.is.not(next.version, refused.version);
    await proxy.silence();
  });
}

test('S05, S06: the very first response refused is not sent again either', async () => {
  await serve(full);
  const proxy = stream();
  proxy.ask('cluster');
  proxy.nack(await proxy.next('cluster'));
  await proxy.silence();
  await serve({ ...full, cds: ['a:2', 'b:2'] });
  assert.equal(sorted((await proxy.accept('cluster')).names), ['a', 'b']);
});

for (const type of ['cluster', 'listener'] as const) {
  const [one, other] = full[keys[type]] as [string, string];

  test(`S07: "*" with a name of ${type} is everything, and the name when it comes`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, ['*', 'later']);
    assert.equal(sorted((await proxy.accept(type)).names), [one, other]);
    await serve({ ...full, [keys[type]]: [one, other, 'later'] });
    assert.equal(sorted((await proxy.accept(type)).names), sorted([one, other, 'later']));
  });

  test(`S08: of ${type}, a name after "*" alone leaves the name, and no names leave nothing`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, ['*']);
    await proxy.accept(type);
    proxy.ask(type, [one]);
    assert.equal((await proxy.accept(type)).names, [one]);
    await serve({ ...full, [keys[type]]: [`${one}:2`, `${other}:2`] });
    const named = await proxy.accept(type);
    assert.equal(named.names, [one]);
    proxy.ask(type, []);
    await proxy.arrived();
    await serve({ ...full, [keys[type]]: [`${one}:3`, `${other}:3`] });
    await proxy.silence();
  });

  test(`S09: ${type} asked for by name comes as the whole list that was named`, async () => {
    await serve({ ...full, [keys[type]]: [one, other, 'third'] });
    const proxy = stream();
    proxy.ask(type, [one, other]);
    assert.equal(sorted((await proxy.accept(type)).names), [one, other]);
    await serve({ ...full, [keys[type]]: [`${one}:2`, other, 'third:2'] });
    assert.equal(sorted((await proxy.accept(type)).names), [one, other]);
    await proxy.silence();
  });

  test(`S14: of ${type}, an empty list is sent when the last one goes`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type);
    await proxy.accept(type);
    await serve({ ...full, [keys[type]]: [] });
    assert.equal((await proxy.accept(type)).names, []);
  });

  test(`S15: of ${type}, an empty list is sent to the first request of an empty node`, async () => {
    await serve({});
    const proxy = stream();
    proxy.ask(type);
    assert.equal((await proxy.accept(type)).names, []);
    await proxy.silence();
  });
}

for (const type of ['endpoint', 'route'] as const) {
  const [one, other] = full[keys[type]] as [string, string];

  test(`S10: of ${type}, only what is named comes`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [other]);
    assert.equal((await proxy.accept(type)).names, [other]);
    await serve({ ...full, [keys[type]]: [`${one}:2`, other] });
    await proxy.silence();
  });

  test(`S11: of ${type}, a name more at the same version is answered, one less is not`, async () => {
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [one]);
    await proxy.accept(type);
    proxy.ask(type, [one, other]);
    assert.ok((await proxy.accept(type)).names.includes(other));
    proxy.ask(type, [one]);
    await proxy.silence();
    proxy.ask(type, [one, other]);
    assert.ok((await proxy.accept(type)).names.includes(other), 'subscribed again');
  });
}

for (const type of types) {
  test(`S12: of ${type}, a name that is not there yet comes once it is`, async () => {
    const [one] = full[keys[type]] as [string];
    await serve(full);
    const proxy = stream();
    proxy.ask(type, [one, 'later']);
    assert.equal((await proxy.accept(type)).names, [one]);
    await proxy.silence();
    await serve({ ...full, [keys[type]]: [one, 'later'] });
    assert.ok((await proxy.accept(type)).names.includes('later'));
    await proxy.silence();
  });
}

test('S13: endpoints asked for again after their cluster changed are answered', async () => {
  await serve(full);
  const proxy = await settled();
  await serve({ ...full, cds: ['a:2', 'b'] });
  const clusters = await proxy.next('cluster');
  proxy.ask('endpoint', ['b', 'a']);
  assert.ok((await proxy.accept('endpoint')).names.includes('a'));
  proxy.ack(clusters);
  await proxy.silence();
});

test('S16: a change of everything comes as clusters, endpoints, listeners, routes', async () => {
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

test('S16: routes wait for the acknowledgement of a new cluster, and the old one stays till then', async () => {
  await serve(full);
  const proxy = await settled();
  await serve({ ...full, cds: ['b', 'n'], eds: ['b', 'n'], rds: ['r:2', 's'] });
  const clusters = await proxy.next('cluster');
  assert.equal(sorted(clusters.names), ['a', 'b', 'n']);
  proxy.ask('endpoint', ['a', 'b', 'n']);
  assert.ok((await proxy.accept('endpoint')).names.includes('n'));
  await proxy.silence();
  proxy.ack(clusters);
  const routes = await proxy.next('route');
  assert.equal(routes.names, ['r']);
  await proxy.silence();
  proxy.ack(routes);
  assert.equal(sorted((await proxy.accept('cluster')).names), ['b', 'n']);
});

test('S17: a request without a type ends the aggregated stream as INVALID_ARGUMENT', async () => {
  await serve(full);
  const proxy = stream();
  proxy.stream.send(undefined);
  assert.is((await proxy.stream.raw.ended()).code, 3);
});

for (const type of types) {
  test(`S17: the service of ${type} alone needs no type`, async () => {
    await serve(full);
    const proxy = single(type);
    proxy.stream.send(undefined, { resource_names: full[keys[type]] });
    const response = await proxy.next(type);
    assert.equal(response.names, full[keys[type]]);
    assert.equal([...new Set([response.typeUrl, ...response.innerTypeUrls])], [typeUrl(type)]);
  });
}

test('S18: an unknown type, first or later, disturbs nothing', async () => {
  await serve(full);
  const proxy = stream();
  const unknown = { type_url: 'type.googleapis.com/envoy.config.future.v9.Thing' };
  proxy.stream.send(undefined, unknown);
  proxy.ask('cluster');
  await proxy.accept('cluster');
  proxy.stream.send(undefined, { ...unknown, resource_names: ['x'] });
  await serve({ ...full, cds: ['a:2', 'b'] });
  await proxy.accept('cluster');
  await proxy.silence();
});

test('S19: two streams of one node both get every change', async () => {
  await serve(full);
  const proxies = [stream(), stream()];
  for (const proxy of proxies) {
    proxy.ask('cluster');
    await proxy.accept('cluster');
  }
  await serve({ ...full, cds: ['a:2', 'b'] });
  for (const proxy of proxies) {
    await proxy.accept('cluster');
  }
  proxies[0]?.leave();
  await serve({ ...full, cds: ['a:3', 'b'] });
  await proxies[1]?.accept('cluster');
});

for (const isAcked of [true, false]) {
  test(`S20: who comes back with names gets them whatever version it has (${isAcked ? '' : 'not '}acknowledged)`, async () => {
    await serve(full);
    const before = stream();
    before.ask('endpoint', ['a']);
    const had = await before.next('endpoint');
    if (isAcked) {
      before.ack(had);
    }
    before.leave();
    const after = stream();
    after.ask('endpoint', ['a', 'b'], { version_info: had.version });
    assert.equal(sorted((await after.accept('endpoint')).names), ['a', 'b']);
    after.ask('cluster', ['a'], { version_info: had.version });
    assert.equal((await after.accept('cluster')).names, ['a']);
  });
}

test('S21: nonce and version of another server are answered', async () => {
  await serve(full);
  for (const type of types) {
    const proxy = stream();
    const foreign = { version_info: '2026-11-22T10:00:00Z/7', response_nonce: 'f00-77' };
    proxy.ask(type, full[keys[type]], foreign);
    assert.equal(sorted((await proxy.accept(type)).names), full[keys[type]]);
  }
});

test('S22: a node without state waits, and is answered when it has one', async () => {
  const proxy = stream();
  proxy.ask('cluster');
  proxy.ask('listener');
  await proxy.silence();
  await serve({ cds: ['a'] });
  assert.equal((await proxy.accept('cluster')).names, ['a']);
  assert.equal((await proxy.accept('listener')).names, []);
});

test.run();
