/**
 * The light proxy of the tests asks as Envoy does: a test that waits for what nobody asked for would blame
 * the controller.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LightProxy } from '../support/light-proxy.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';

const light = suite<{ server: TestServer; proxy: LightProxy }>('light proxy');
const node = 'web';
const whole = { cds: ['a', 'b'], eds: ['a', 'b'], lds: ['l>r'], rds: ['r>a,b'] };

light.before.each(async (context) => {
  context.server = await startTestServer();
  context.proxy = new LightProxy(node, { reconnects: true });
});

light.after.each(async ({ server, proxy }) => {
  proxy.disconnect();
  await server.stop();
});

light(
  'asks again for what its clusters and listeners refer to and it never got',
  async (context) => {
    const { server, proxy } = context;
    server.serve(node, { ...whole, rds: [] });
    proxy.connect(server.address);
    await proxy.untilHeld('all but routes', () => named(proxy) === 'a b; a b; ');
    await server.restart();
    server.serve(node, whole);
    await proxy.untilHeld('the rest', () => named(proxy) === 'a b; a b; r');
  },
);

light(
  'gives up what nothing refers to any more, and asks for it when something does',
  async (context) => {
    const { server, proxy } = context;
    server.serve(node, whole);
    proxy.connect(server.address);
    await proxy.untilHeld('all', () => named(proxy) === 'a b; a b; r');
    server.serve(node, { ...whole, cds: ['a'], eds: ['a'], rds: ['r>a'] });
    await proxy.untilHeld('less', () => named(proxy) === 'a; a; r');
    await server.restart();
    server.serve(node, whole);
    await proxy.untilHeld('all again', () => named(proxy) === 'a b; a b; r');
    assert.equal(
      proxy.received.filter((name) => name.startsWith('endpoint')),
      ['endpoint b'],
    );
  },
);

light.run();

/** The names of its clusters, of its endpoints, of its routes. */
function named(proxy: LightProxy): string {
  return (['cluster', 'endpoint', 'route'] as const)
    .map((type) => [...(proxy.held.get(type)?.keys() ?? [])].sort().join(' '))
    .join('; ');
}
