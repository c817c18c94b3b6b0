/** Invariant H10, broken on purpose: nothing of a node reaches a caller that may not be that node. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import { startTestServer } from '../support/xds-server.js';

const invariants = suite('xds: invariants in production');
const node = 'mesh/shop/virtualNode/cart';

invariants('a stream whose caller may no longer be its node is told nothing more', async () => {
  let mayBe = true;
  const caller = {
    name: 'token 4f2a',
    mayBe: () => mayBe,
    isOperator: false,
    standing: () => undefined,
  };
  const t = await startTestServer({}, createClock(), { admit: () => ({ caller }) });
  try {
    t.serve(node, { cds: ['a'] });
    const stream = t.client().sotw(node);
    stream.send('cluster');
    stream.ack(await stream.receive('cluster'));
    mayBe = false;
    t.serve(node, { cds: ['a', 'b'] });
    const { code } = await stream.raw.ended();
    assert.is(code, 7, 'PERMISSION_DENIED');
    const told = t.logger.lines.filter(({ event }) => event === 'invariant.violated');
    assert.is(told.length, 1);
    assert.is(told[0]?.fields.invariant, 'H10');
    assert.match(String(told[0]?.fields.message), node);
  } finally {
    await t.stop();
  }
});

invariants.run();
