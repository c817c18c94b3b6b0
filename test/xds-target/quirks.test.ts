/**
 * Habits of the suites that others test xDS servers with, which the protocol does not ask of anybody and
 * a server has to bear: those of xds-test-harness, of go-control-plane's own tests, and of clients that
 * answer nothing.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import { type Received, typeUrl } from '../support/xds-client.js';
import {
  DeltaOutsider,
  SotwOutsider,
  startTarget,
  type TargetProcess,
} from '../support/xds-target.js';

const test = suite('habits of suites');
let target: TargetProcess;
let nodes = 0;
let node = '';

test.before(async () => {
  target = await startTarget();
});
test.after(async () => {
  await target.stop();
});
test.before.each(() => {
  nodes += 1;
  node = `habits-${nodes}`;
});

const letters = ['A', 'B', 'C', 'D'];
const full = { cds: letters, eds: letters, lds: letters, rds: letters };
const keys = { cluster: 'cds', endpoint: 'eds', listener: 'lds', route: 'rds' } as const;
const types = ['cluster', 'endpoint', 'listener', 'route'] as const;
type Played = (typeof types)[number];

const sotw = (): SotwOutsider => new SotwOutsider(target.client().sotw(node));
const delta = (): DeltaOutsider => new DeltaOutsider(target.client().delta(node));
const update = (type: ResourceType, names: readonly string[]): Promise<void> =>
  target.serve(node, {
    ...full,
    [keys[type as Played]]: letters.map((name) => (names.includes(name) ? `${name}:2` : name)),
  });

for (const type of types) {
  test(`8: [""] unsubscribes from every ${type}, on a list of names`, async () => {
    await target.serve(node, full);
    const client = sotw();
    client.ask(type, ['A', 'B']);
    await client.accept(type);
    client.ask(type, ['']);
    await client.arrived();
    await update(type, ['A', 'B']);
    await client.silence();
  });

  test(`15: of ${type}, an acknowledgement with fewer names takes the others out`, async () => {
    await target.serve(node, full);
    const client = sotw();
    client.ask(type, ['B', 'D']);
    const { version, nonce } = await client.accept(type);
    client.ask(type, ['B'], { version_info: version, response_nonce: nonce });
    await client.arrived();
    await update(type, ['B', 'D']);
    assert.equal((await client.accept(type)).names, ['B']);
    await client.silence();
  });

  test(`27: of ${type}, names asked for one after the other come one after the other`, async () => {
    await target.serve(node, full);
    const client = delta();
    for (const name of letters) {
      client.ask(type, [name]);
      assert.equal((await client.accept(type)).names, [name]);
    }
    await client.silence();
  });

  test(`39: of ${type}, names asked for without an answer to anything come all the same`, async () => {
    await target.serve(node, full);
    const client = delta();
    for (const name of letters) {
      client.ask(type, [name]);
      assert.equal((await client.next(type)).names, [name]);
    }
  });
}

for (const [first, second] of [
  ['cluster', 'listener'],
  ['route', 'endpoint'],
  ['listener', 'cluster'],
  ['endpoint', 'route'],
] as const) {
  test(`12: ${second} acknowledged under the type of ${first} stops neither`, async () => {
    await target.serve(node, full);
    const client = sotw();
    client.ask(first, ['B']);
    await client.accept(first);
    client.ask(second, ['B']);
    const { version, nonce } = await client.next(second);
    client.stream.send(undefined, {
      type_url: typeUrl(first),
      version_info: version,
      response_nonce: nonce,
      resource_names: ['B'],
    });
    await client.silence();
    await update(first, ['B']);
    assert.equal((await client.accept(first)).names, ['B']);
    await client.silence();
  });
}

test('3: a node that comes again with every request is the same node', async () => {
  await target.serve(node, full);
  const client = sotw();
  client.ask('cluster');
  await client.accept('cluster');
  client.ask('listener', [], { node: { id: node, cluster: 'other' } });
  await client.accept('listener');
  await client.silence();
});

test('31: a client that answers nothing is told of a name that is not there', async () => {
  await target.serve(node, full);
  const client = delta();
  client.ask('cluster', ['A']);
  await client.next('cluster');
  client.ask('cluster', ['none']);
  assert.equal((await client.next('cluster')).removed, ['none']);
});

test('6: a client that closes its half is let go with OK', async () => {
  await target.serve(node, full);
  for (const client of [sotw(), delta()]) {
    client.stream.send('cluster');
    await client.next('cluster');
    client.stream.raw.call.end();
    assert.is((await client.stream.raw.ended()).code, 0);
  }
});

test('4, 29: versions are those of the content: the same on every node and after any detour', async () => {
  const versionsOf = async (): Promise<readonly string[]> => {
    const seen: Received[] = [];
    for (const client of [sotw(), delta()]) {
      for (const type of types) {
        client.ask(type, ['A', 'B']);
        seen.push(await client.accept(type));
      }
    }
    return seen.flatMap(({ version, versions }) => [version, ...versions.values()]);
  };
  await target.serve(node, full);
  const before = await versionsOf();
  await update('cluster', ['A', 'B']);
  const changed = await versionsOf();
  await target.serve(node, full);
  assert.equal(await versionsOf(), before);
  assert.is.not(changed[0], before[0]);
  node = `${node}-other`;
  await target.serve(node, full);
  assert.equal(await versionsOf(), before, 'on another node');
});

test.run();
