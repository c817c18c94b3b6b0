/** A bug of ours, made on purpose: the stream at which it shows ends, and all others go on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import type { EncodedResource } from '../../controller/envoy/snapshot.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';
import { snapshotOf } from '../support/xds-snapshots.js';

const containment = suite('xds: a bug is contained');

const good = 'good';
const bad = 'bad';
const internal = 13;

/** A server whose check of who may be the node `bad` throws while `isBroken`. */
async function withBug(play: (t: TestServer, bug: { isBroken: boolean }) => Promise<void>) {
  const bug = { isBroken: false };
  const caller = {
    name: 'token 4f2a',
    mayBe(nodeId: string) {
      if (bug.isBroken && nodeId === bad) {
        throw new TypeError('a bug');
      }
      return true;
    },
    isOperator: false,
    standing: () => undefined,
  };
  const t = await startTestServer({}, createClock(), { admit: () => ({ caller }) });
  try {
    await play(t, bug);
  } finally {
    await t.stop();
  }
}

const said = ({ logger }: TestServer): readonly string[] =>
  logger.lines
    .filter(({ event }) => event === 'xds.broken')
    .map(({ fields }) => `${fields.caller}: ${fields.error}`);

containment('in a publication', () =>
  withBug(async (t, bug) => {
    const [broken, sound] = [t.client().sotw(bad), t.client().delta(good)];
    for (const [node, stream] of [
      [bad, broken],
      [good, sound],
    ] as const) {
      t.serve(node, { cds: ['a'] });
      stream.send('cluster');
      stream.ack(await stream.receive('cluster'));
    }
    bug.isBroken = true;
    t.serve(good, { cds: ['a', 'b'] });
    assert.equal((await sound.receive('cluster')).names, ['b']);
    const { code, details } = await broken.raw.ended();
    assert.is(code, internal);
    assert.match(details, 'a bug of the control plane');
    assert.equal(said(t), ['token 4f2a: TypeError: a bug']);

    bug.isBroken = false;
    const again = t.client().sotw(bad);
    again.send('cluster');
    assert.equal((await again.receive('cluster')).names, ['a']);
  }),
);

containment('in a message', () =>
  withBug(async (t, bug) => {
    bug.isBroken = true;
    const stream = t.client().sotw(bad);
    stream.send('cluster');
    assert.is((await stream.raw.ended()).code, internal);
    assert.equal(said(t), ['token 4f2a: TypeError: a bug']);

    t.serve(good, { cds: ['a'] });
    const sound = t.client().sotw(good);
    sound.send('cluster');
    assert.equal((await sound.receive('cluster')).names, ['a']);
  }),
);

containment('in what is sent', () =>
  withBug(async (t) => {
    const snapshot = snapshotOf({ cds: ['a'] });
    const [resource] = [...snapshot.cluster.byName.values()];
    const unusable = { ...resource, any: undefined } as unknown as EncodedResource;
    t.serve(bad, {
      ...snapshot,
      cluster: { version: 'unusable', byName: new Map([['a', unusable]]) },
    });
    const [broken, sound] = [t.client().sotw(bad), t.client().sotw(good)];
    broken.send('cluster');
    assert.is((await broken.raw.ended()).code, internal);
    assert.is(said(t).length, 1);

    t.serve(good, { cds: ['a'] });
    sound.send('cluster');
    assert.equal((await sound.receive('cluster')).names, ['a']);
  }),
);

containment.run();
