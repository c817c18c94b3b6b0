/** Bootstraps as a real Envoy understands them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BootstrapOptions, renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startEnvoy } from '../support/envoy.js';

const test = suite('bootstraps');

const options: BootstrapOptions = {
  nodeId: 'mesh/books/virtualNode/reviews-v1',
  xds: [{ address: '127.0.0.1', port: 18_000 }],
  ingress: { address: '127.0.0.1', port: 15_000 },
  egress: { address: '127.0.0.1', port: 15_001 },
  announce: '10.0.1.5',
};

/** The bootstrap as a real Envoy has understood it. */
async function understood(bootstrap: BootstrapOptions): Promise<Record<string, unknown>> {
  const envoy = await startEnvoy(renderBootstrap(bootstrap));
  try {
    const { configs } = JSON.parse(await envoy.admin('/config_dump')) as {
      readonly configs: readonly { readonly bootstrap?: Record<string, unknown> }[];
    };
    const found = configs.find((config) => config.bootstrap !== undefined)?.bootstrap;
    assert.ok(found, 'no bootstrap in /config_dump');
    return found;
  } finally {
    await envoy.stop('SIGKILL');
  }
}

test('a real Envoy takes one and knows who it is and where its controller is', async () => {
  const bootstrap = await understood(options);
  const node = bootstrap.node as Record<string, unknown>;
  assert.is(node.id, options.nodeId);
  assert.is(node.cluster, options.nodeId);
  assert.equal(node.metadata, {
    'headgate.ingress': options.ingress,
    'headgate.egress': options.egress,
    'headgate.announce': '10.0.1.5',
  });
  const resources = bootstrap.dynamic_resources as { ads_config: { api_type: string } };
  assert.is(resources.ads_config.api_type, 'DELTA_GRPC');
});

test('a real Envoy takes several controllers by name, and state of the world', async () => {
  const xds = [
    { address: 'localhost', port: 18_000 },
    { address: '127.0.0.1', port: 18_001 },
  ];
  const bootstrap = await understood({ nodeId: options.nodeId, xds, protocol: 'sotw' });
  const node = bootstrap.node as Record<string, unknown>;
  assert.is(node.metadata, undefined);
  const { clusters } = bootstrap.static_resources as {
    readonly clusters: readonly { readonly type: string }[];
  };
  assert.equal(
    clusters.map(({ type }) => type),
    ['STRICT_DNS'],
  );
});

test('without an admin address there is no admin interface', () => {
  assert.not('admin' in renderBootstrap(options));
  const admin = { address: '127.0.0.1', port: 9901 };
  assert.equal(renderBootstrap({ ...options, admin }).admin, {
    address: { socket_address: { address: '127.0.0.1', port_value: 9901 } },
  });
});

test.run();
