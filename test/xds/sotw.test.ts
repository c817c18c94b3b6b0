/**
 * State of the world, statement by statement, over real gRPC: what a server must send, and what it must
 * not. S numbers are those of the outside probe, plain numbers those of the list in `STATEMENTS.md`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { XdsSettings } from '../../controller/xds/settings.js';
import { type SotwStream, typeUrl } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';
import type { SnapshotWords } from '../support/xds-snapshots.js';

const scenario = (
  name: string,
  play: (t: TestServer) => Promise<void>,
  settings: Partial<XdsSettings> = {},
): void => test(name, withServer(play, settings));

const node = 'node-1';
const sds = ['barrier'];
const world: SnapshotWords = {
  cds: ['a', 'b'],
  eds: ['a', 'b'],
  lds: ['l>r', 'm>s'],
  rds: ['r>a', 's>b'],
  sds,
};

/** Longer than any test: what comes has not waited for it. */
const longMs = 3_600_000;

/** Asks for all of `type` and acknowledges it. */
async function takeAll(stream: SotwStream, type: 'cluster' | 'listener'): Promise<void> {
  stream.send(type);
  stream.ack(await stream.receive(type));
}

for (const [type, names] of [
  ['cluster', ['a', 'b']],
  ['listener', ['l', 'm']],
] as const) {
  scenario(
    `S01 (7): a first request without names gets all of ${type} in one response`,
    async (t) => {
      t.serve(node, world);
      const stream = t.client().sotw(node);
      stream.send(type);
      const response = await stream.receive(type);
      assert.equal(response.names, names);
      assert.ok(
        response.version !== '' && response.nonce !== '',
        'version and nonce are not empty',
      );
      stream.ack(response);
      await stream.quiet();
    },
  );
}

scenario('S01 (7): "*" asks for all as well', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['*'] });
  assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
});

scenario('S02 (9): an acknowledgement is not answered', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  await takeAll(stream, 'listener');
  stream.send('endpoint', { resource_names: ['a'] });
  stream.ack(await stream.receive('endpoint'), ['a']);
  stream.send('route', { resource_names: ['r'] });
  stream.ack(await stream.receive('route'), ['r']);
  await stream.quiet();
});

for (const [names, how] of [
  [[], 'as a wildcard'],
  [['a', 'l'], 'by name'],
] as const) {
  scenario(`S02 (9): nor is one of clusters or listeners that comes twice, ${how}`, async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    for (const type of ['cluster', 'listener'] as const) {
      stream.send(type, { resource_names: [...names] });
      const response = await stream.receive(type);
      stream.ack(response, [...names]);
      stream.ack(response, [...names]);
    }
    await stream.quiet();
  });
}

scenario('S03 (4): every response names its control plane', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  assert.is((await stream.receive('cluster')).controlPlane, 'headgate');
});

scenario('S04 (12): a request with a stale nonce is ignored, names and all', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('endpoint', { resource_names: ['a'] });
  const first = await stream.receive('endpoint');
  stream.ack(first, ['a']);
  t.serve(node, { ...world, eds: ['a:2', 'b'] });
  const second = await stream.receive('endpoint');
  stream.ack(first, ['a', 'b']);
  await stream.quiet();
  stream.ack(second, ['a', 'b']);
  assert.equal((await stream.receive('endpoint')).names, ['b'], 'the newest request counts');
});

scenario('12: a request whose nonce was never sent is ignored', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  stream.send('cluster', { response_nonce: 'another-streams-nonce', resource_names: ['a'] });
  await stream.quiet();
});

scenario('12: an empty nonce on a known type is answered again', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  stream.send('cluster');
  assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
  stream.send('route', { resource_names: ['r'] });
  stream.ack(await stream.receive('route'), ['r']);
  stream.send('route', { resource_names: ['r'] });
  assert.equal((await stream.receive('route')).names, ['r']);
});

scenario(
  '12: an empty nonce is answered at once, though what was sent before is not',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('route', { resource_names: ['r'] });
    await stream.receive('route');
    stream.send('route', { resource_names: ['r'] });
    assert.equal((await stream.receive('route')).names, ['r']);
  },
  { ackTimeoutMs: longMs },
);

for (const type of ['cluster', 'listener'] as const) {
  scenario(`S05 (10): a refusal of ${type} is not answered until something changes`, async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    await takeAll(stream, type);
    t.serve(node, { ...world, cds: ['a:2', 'b'], lds: ['l:2>r', 'm>s'] });
    const refused = await stream.receive(type);
    stream.nack(refused);
    await stream.quiet();
    t.serve(node, { ...world, cds: ['a:2', 'b'], lds: ['l:2>r', 'm>s'] });
    await stream.quiet();
  });
}

scenario('S05 (10): refused bytes are not sent again beside a change of others', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  stream.nack(await stream.receive('cluster'));
  t.serve(node, { ...world, cds: ['a:2', 'b', 'c'] });
  const next = await stream.receive('cluster');
  assert.equal(next.names, ['a', 'b', 'c']);
  const [a] = next.resources;
  assert.equal(a?.connect_timeout, { seconds: 1, nanos: 1 }, 'a is the one that was accepted');
});

scenario(
  'S06 (11): after a refusal the next version comes at once',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('cluster');
    stream.nack(await stream.receive('cluster'));
    await stream.quiet();
    t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
    assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
  },
  { ackTimeoutMs: longMs },
);

scenario(
  '10: after a refusal the last good state is sent again, though it was acknowledged',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    await takeAll(stream, 'cluster');
    t.serve(node, { ...world, cds: ['a:2', 'b'] });
    stream.nack(await stream.receive('cluster'));
    t.serve(node, world);
    const back = await stream.receive('cluster');
    assert.equal(back.resources[0]?.connect_timeout, { seconds: 1, nanos: 1 });
  },
);

scenario('10: a refusal may carry a changed list of names', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('endpoint', { resource_names: ['a'] });
  stream.nack(await stream.receive('endpoint'), ['a', 'b']);
  assert.equal((await stream.receive('endpoint')).names, ['b']);
});

scenario('10: where the client names the bad resource, the others come without it', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  const response = await stream.receive('cluster');
  stream.nack(response, [], 'Error adding/updating cluster(s) b: not supported');
  const rest = await stream.receive('cluster');
  assert.equal(rest.names, ['a']);
  assert.is.not(rest.version, response.version);
});

scenario(
  '10: an error with the new version is of the response before, which Envoy held back',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    await takeAll(stream, 'cluster');
    t.serve(node, { ...world, cds: ['a', 'b', 'bad'] });
    await stream.receive('cluster');
    // Envoy warms and does not answer; after a while newer state is sent all the same.
    t.serve(node, { ...world, cds: ['a', 'b:2'] });
    const newest = await stream.receive('cluster');
    stream.send('cluster', {
      version_info: newest.version,
      response_nonce: newest.nonce,
      error_detail: { code: 13, message: 'Error adding/updating cluster(s) bad: no' },
    });
    const nack = await t.event((event) => event.kind === 'proxyNacked');
    assert.equal(nack.resources, ['bad']);
    assert.is(nack.generation, 2);
    await stream.quiet();
    assert.is(t.server.proxies()[0]?.types.cluster?.state, 'synced');
  },
  { ackTimeoutMs: 50 },
);

scenario('S07 (7): "*" and a name keep both, and a name that appears later comes', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  stream.ack(await stream.receive('cluster'), ['*', 'a']);
  stream.ack(await stream.receive('cluster'), ['*', 'a']);
  t.serve(node, { ...world, cds: ['a', 'b', 'c'] });
  assert.equal((await stream.receive('cluster')).names, ['a', 'b', 'c']);
});

scenario('S08 (7): a name without "*" ends the wildcard', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['*', 'a'] });
  stream.ack(await stream.receive('cluster'), ['a']);
  t.serve(node, { ...world, cds: ['a', 'b:2'] });
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  assert.equal((await stream.receive('cluster')).names, ['a']);
});

scenario('S08 (7): no names after some names are none, not all', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['a'] });
  stream.ack(await stream.receive('cluster'), []);
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  await stream.quiet();
});

scenario(
  'S12 (12, 16): what was gone when all was asked for anew is sent when it is back',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('route', { resource_names: ['r', 's'] });
    stream.ack(await stream.receive('route'), ['r', 's']);
    t.serve(node, { ...world, lds: ['l>r'], rds: ['r>a'] });
    stream.send('route', { resource_names: ['r', 's'] });
    assert.equal((await stream.receive('route')).names, ['r']);
    await stream.quiet();
    t.serve(node, world);
    assert.ok((await stream.receive('route')).names.includes('s'));
  },
);

scenario(
  'S15 (12, 17): an empty node that asks anew is told again that it has nothing',
  async (t) => {
    t.serve(node, { sds });
    const stream = t.client().sotw(node);
    for (const type of ['cluster', 'listener'] as const) {
      await takeAll(stream, type);
      stream.send(type);
      assert.equal((await stream.receive(type)).names, []);
    }
  },
);

scenario('S08 (7): what was still to come of a wildcard ends with it', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['*', 'a'] });
  const all = await stream.receive('cluster');
  t.serve(node, { ...world, cds: ['a', 'b', 'c'] });
  stream.ack(all, ['a']);
  await stream.quiet();
});

scenario('8: the empty name unsubscribes from all', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  stream.send('listener');
  stream.ack(await stream.receive('listener'), ['']);
  t.serve(node, { ...world, lds: ['l:2>r'] });
  await stream.quiet();
});

for (const [type, names, served, changed] of [
  ['cluster', ['a', 'b'], { cds: ['a', 'b', 'c'] }, { cds: ['a:2', 'b', 'c'] }],
  ['listener', ['l', 'm'], { lds: ['l>r', 'm>s', 'o'] }, { lds: ['l:2>r', 'm>s', 'o'] }],
] as const) {
  scenario(`S09 (14): ${type}s that are asked for by name are complete each time`, async (t) => {
    t.serve(node, { ...world, ...served });
    const stream = t.client().sotw(node);
    stream.send(type, { resource_names: names });
    const first = await stream.receive(type);
    assert.equal([...first.names].sort(), names);
    stream.ack(first, names);
    t.serve(node, { ...world, ...changed });
    assert.equal([...(await stream.receive(type)).names].sort(), names);
  });
}

scenario('S10 (14): endpoints and routes are only those that are named', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('endpoint', { resource_names: ['a'] });
  const endpoints = await stream.receive('endpoint');
  assert.equal(endpoints.names, ['a']);
  stream.ack(endpoints, ['a']);
  stream.send('route', { resource_names: ['s'] });
  const routes = await stream.receive('route');
  assert.equal(routes.names, ['s']);
  stream.ack(routes, ['s']);
  t.serve(node, { ...world, eds: ['a', 'b:2'], rds: ['r:2>a', 's>b'] });
  await stream.quiet();
});

scenario('14: a change of one route sends one route', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('route', { resource_names: ['r', 's'] });
  stream.ack(await stream.receive('route'), ['r', 's']);
  t.serve(node, { ...world, rds: ['r:2>a', 's>b'] });
  const response = await stream.receive('route');
  assert.equal(response.names, ['r']);
  stream.ack(response, ['r', 's']);
  await stream.quiet();
});

scenario('S11 (15): a name added to the list is answered at the same version', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('endpoint', { resource_names: ['a'] });
  const first = await stream.receive('endpoint');
  stream.ack(first, ['a']);
  stream.ack(first, ['a', 'b']);
  const second = await stream.receive('endpoint');
  assert.ok(second.names.includes('b'));
  assert.is.not(second.nonce, first.nonce);
});

scenario('15: unsubscribed and subscribed again is sent again', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('route', { resource_names: ['r', 's'] });
  const first = await stream.receive('route');
  stream.ack(first, ['s']);
  await stream.quiet();
  stream.ack(first, ['r', 's']);
  assert.equal((await stream.receive('route')).names, ['r']);
});

scenario('15: a shorter list is not answered', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['a', 'b'] });
  stream.ack(await stream.receive('cluster'), ['b']);
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  await stream.quiet();
});

for (const [type, before, after] of [
  ['cluster', { cds: ['a'] }, { cds: ['a', 'x'] }],
  ['endpoint', { eds: ['a'] }, { eds: ['a', 'x'] }],
  ['listener', { lds: ['l'] }, { lds: ['l', 'x'] }],
  ['route', { rds: ['r'] }, { rds: ['r', 'x'] }],
] as const) {
  scenario(`S12 (16): a name of ${type} that is unknown now is sent when it appears`, async (t) => {
    t.serve(node, { ...before, sds });
    const stream = t.client().sotw(node);
    stream.send(type, { resource_names: ['x'] });
    if (type === 'cluster' || type === 'listener') {
      const none = await stream.receive(type);
      assert.equal(none.names, [], 'the list of what was asked for is empty');
      stream.ack(none, ['x']);
    }
    await stream.quiet();
    t.serve(node, { ...after, sds });
    assert.equal((await stream.receive(type)).names, ['x']);
  });
}

scenario('16: endpoints of a cluster that has none are an empty assignment', async (t) => {
  t.serve(node, { cds: ['a'], sds });
  const stream = t.client().sotw(node);
  stream.send('endpoint', { resource_names: ['a', 'unknown'] });
  const response = await stream.receive('endpoint');
  assert.equal(response.resources, [{ '@type': typeUrl('endpoint'), cluster_name: 'a' }]);
  stream.ack(response, ['a', 'unknown']);
  await stream.quiet();
  t.serve(node, { cds: ['a'], eds: ['a:2'], sds });
  assert.equal((await stream.receive('endpoint')).names, ['a']);
});

scenario(
  'S13 (20): a repeated request for endpoints is answered after their cluster changed',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('cluster');
    stream.ack(await stream.receive('cluster'));
    stream.send('endpoint', { resource_names: ['a', 'b'] });
    const endpoints = await stream.receive('endpoint');
    stream.ack(endpoints, ['a', 'b']);
    t.serve(node, { ...world, cds: ['a:2', 'b'] });
    const changed = await stream.receive('cluster');
    await stream.quiet();
    stream.ack(endpoints, ['b', 'a']);
    const again = await stream.receive('endpoint');
    assert.equal(again.names, ['a'], 'those that wait, and not all');
    stream.ack(again, ['a', 'b']);
    stream.ack(changed);
    await stream.quiet();
  },
);

scenario(
  'S13 (20): the repeated request is answered in full where nothing is known to wait',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('endpoint', { resource_names: ['a', 'b'] });
    const endpoints = await stream.receive('endpoint');
    stream.ack(endpoints, ['a', 'b']);
    stream.ack(endpoints, ['a', 'b']);
    assert.equal([...(await stream.receive('endpoint')).names].sort(), ['a', 'b']);
  },
);

scenario(
  '20: endpoints are answered though a newer publication has taken their cluster away',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    await takeAll(stream, 'cluster');
    stream.send('endpoint', { resource_names: ['a', 'b'] });
    const endpoints = await stream.receive('endpoint');
    stream.ack(endpoints, ['a', 'b']);
    t.serve(node, { ...world, cds: ['a', 'b', 'c'], eds: ['a', 'b', 'c'] });
    const added = await stream.receive('cluster');
    t.serve(node, world);
    // Envoy warms c and acknowledges no cluster before it has heard of c's endpoints.
    stream.ack(endpoints, ['a', 'b', 'c']);
    const answer = await stream.receive('endpoint');
    assert.equal(answer.names, ['c']);
    stream.ack(answer, ['a', 'b', 'c']);
    stream.ack(added);
    assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
  },
);

scenario('20: the endpoints of a cluster that is kept are not emptied', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  stream.send('endpoint', { resource_names: ['a', 'b'] });
  const endpoints = await stream.receive('endpoint');
  stream.ack(endpoints, ['a', 'b']);
  stream.send('route', { resource_names: ['r', 's'] });
  stream.ack(await stream.receive('route'), ['r', 's']);
  t.serve(node, { ...world, cds: ['b', 'n'], eds: ['b', 'n'], rds: ['r:2>n', 's>b'] });
  assert.equal([...(await stream.receive('cluster')).names].sort(), ['a', 'b', 'n']);
  stream.ack(endpoints, ['a', 'b', 'n']);
  assert.equal((await stream.receive('endpoint')).names, ['n'], 'nothing is said of a');
});

scenario('S14 (17): when the last one goes, an empty list is sent', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  t.serve(node, { sds });
  const response = await stream.receive('cluster');
  assert.equal(response.names, []);
});

for (const type of ['cluster', 'listener'] as const) {
  scenario(
    `S15 (17): an empty node's first request of ${type} is answered with nothing`,
    async (t) => {
      t.serve(node, { sds });
      const stream = t.client().sotw(node);
      stream.send(type);
      assert.equal((await stream.receive(type)).names, []);
    },
  );
}

scenario('17: routes, endpoints and secrets are never answered with nothing', async (t) => {
  t.serve(node, { sds });
  const stream = t.client().sotw(node);
  stream.send('route', { resource_names: ['r'] });
  stream.send('endpoint', { resource_names: ['a'] });
  stream.send('secret', { resource_names: ['unknown'] });
  await stream.quiet();
});

scenario(
  'S16 (24): one change of everything goes out as clusters, endpoints, listeners, routes',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    await takeAll(stream, 'cluster');
    stream.send('endpoint', { resource_names: ['a', 'b'] });
    stream.ack(await stream.receive('endpoint'), ['a', 'b']);
    await takeAll(stream, 'listener');
    stream.send('route', { resource_names: ['r', 's'] });
    stream.ack(await stream.receive('route'), ['r', 's']);
    for (let round = 2; round < 22; round += 1) {
      t.serve(node, {
        cds: [`a:${round}`, 'b'],
        eds: [`a:${round}`, 'b'],
        lds: [`l:${round}>r`, 'm>s'],
        rds: [`r:${round}>a`, 's>b'],
        sds,
      });
      for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
        const names = { cluster: [], listener: [], endpoint: ['a', 'b'], route: ['r', 's'] };
        stream.ack(await stream.receive(type), names[type]);
      }
    }
    await stream.quiet();
  },
);

scenario('S17 (1): a request without a type ends the stream as INVALID_ARGUMENT', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send(undefined);
  const { code, details } = await stream.raw.ended();
  assert.is(code, 3);
  assert.match(details, /type_url is empty/);
});

scenario('S18 (2): an unknown type disturbs nobody, nor RTDS and VHDS', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  const types = [
    'envoy.config.unknown.v9.Thing',
    'envoy.service.runtime.v3.Runtime',
    'envoy.config.route.v3.VirtualHost',
  ];
  const askForEach = (): void => {
    for (const type of types) {
      stream.send(undefined, { type_url: `type.googleapis.com/${type}`, resource_names: ['r'] });
    }
  };
  askForEach();
  await takeAll(stream, 'cluster');
  askForEach();
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
});

scenario('S19 (3): two streams of one node both get every change', async (t) => {
  t.serve(node, world);
  const client = t.client();
  const streams = [client.sotw(node), client.sotw(node), t.client().sotw(node)];
  for (const stream of streams) {
    await takeAll(stream, 'cluster');
  }
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  for (const stream of streams) {
    stream.ack(await stream.receive('cluster'));
  }
  assert.is(new Set(t.server.proxies().map((proxy) => proxy.id)).size, 3);
});

scenario('S20 (13): a version on reconnect spares a pure wildcard what it has', async (t) => {
  t.serve(node, world);
  const first = t.client().sotw(node);
  first.send('cluster');
  const had = await first.receive('cluster');
  first.ack(had);
  await first.quiet();
  const second = t.client().sotw(node);
  second.send('cluster', { version_info: had.version });
  await second.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  assert.equal((await second.receive('cluster')).names, ['a', 'b']);
});

scenario('S20 (13): a version on reconnect spares named resources nothing', async (t) => {
  t.serve(node, world);
  const first = t.client().sotw(node);
  first.send('route', { resource_names: ['r'] });
  const { version } = await first.receive('route');
  const second = t.client().sotw(node);
  second.send('route', { resource_names: ['r', 's'], version_info: version });
  assert.equal([...(await second.receive('route')).names].sort(), ['r', 's']);
  second.send('cluster', { resource_names: ['a'], version_info: version });
  assert.equal((await second.receive('cluster')).names, ['a']);
});

scenario('S20 (13): nor clusters that are named', async (t) => {
  t.serve(node, world);
  const first = t.client().sotw(node);
  first.send('cluster', { resource_names: ['a', 'b'] });
  const had = await first.receive('cluster');
  first.ack(had, ['a', 'b']);
  await first.quiet();
  const second = t.client().sotw(node);
  second.send('cluster', { resource_names: ['a', 'b'], version_info: had.version });
  assert.equal([...(await second.receive('cluster')).names].sort(), ['a', 'b']);
});

scenario('S21 (12): nonce and version of another server are answered', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  const foreign = { version_info: 'of-another-server', response_nonce: 'of-another-server' };
  stream.send('cluster', foreign);
  const clusters = await stream.receive('cluster');
  assert.equal(clusters.names, ['a', 'b']);
  stream.ack(clusters);
  stream.send('route', { resource_names: ['r'], ...foreign });
  assert.equal((await stream.receive('route')).names, ['r']);
});

scenario('S22 (18): requests of an unknown node wait until it is known', async (t) => {
  t.serve('other', world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  stream.send('route', { resource_names: ['s'] });
  // The newest request supersedes the one that waits.
  stream.send('route', { resource_names: ['r'] });
  await t.event((event) => event.kind === 'proxyConnected');
  t.serve(node, world);
  const clusters = await stream.receive('cluster');
  assert.equal(clusters.names, ['a', 'b']);
  stream.ack(clusters);
  assert.equal((await stream.receive('route')).names, ['r']);
});

scenario('18: a node that is no longer known keeps what it has', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  await takeAll(stream, 'cluster');
  t.serve(node, undefined);
  await stream.quiet();
});

scenario('5: all of a response is of its type, and no name stands in it twice', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
    const names = { cluster: [], listener: [], endpoint: ['a', 'b', 'a'], route: ['s', 'r', 's'] };
    stream.send(type, { resource_names: names[type] });
    const response = await stream.receive(type);
    assert.equal([...new Set(response.innerTypeUrls)], [typeUrl(type)]);
    assert.is(new Set(response.names).size, 2);
    assert.is(response.names.length, 2);
    stream.ack(response, names[type]);
  }
});

scenario('19: a change of what was just unsubscribed is not sent', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('route', { resource_names: ['r', 's'] });
  const first = await stream.receive('route');
  t.serve(node, { ...world, rds: ['r:2>a', 's:2>b'] });
  stream.ack(first, ['s']);
  assert.equal((await stream.receive('route')).names, ['s']);
});

scenario('39: newer state waits for the answer and comes as one', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  const first = await stream.receive('cluster');
  for (const variant of ['2', '3', '4']) {
    t.serve(node, { ...world, cds: [`a:${variant}`, 'b'] });
  }
  await stream.quiet();
  stream.ack(first);
  const newest = await stream.receive('cluster');
  assert.equal(newest.resources[0]?.connect_timeout, { seconds: 1, nanos: 4 });
  stream.ack(newest);
  await stream.quiet();
});

scenario(
  '39: a client that stays silent is sent newer state after a while',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('cluster');
    await stream.receive('cluster');
    t.serve(node, { ...world, cds: ['a:2', 'b'] });
    const late = await stream.receive('cluster');
    assert.equal(late.resources[0]?.connect_timeout, { seconds: 1, nanos: 2 });
    assert.ok(t.logger.lines.some((line) => line.event === 'xds.unanswered'));
  },
  { ackTimeoutMs: 50 },
);

test.run();
