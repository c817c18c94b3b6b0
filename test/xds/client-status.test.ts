/** Client status (statement 46): what the server says of each proxy and each of its resources. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import type { MessageTypes } from '../../controller/generated/envoy-types.js';
import { typeUrl, type XdsClient } from '../support/xds-client.js';
import { createPlayer } from '../support/xds-player.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';

const service = '/envoy.service.status.v3.ClientStatusDiscoveryService';
const node = 'node-1';
const world = { cds: ['a', 'b'], eds: ['a'], lds: ['l>r'], rds: ['r>a'], sds: ['barrier'] };

type Request = MessageTypes['envoy.service.status.v3.ClientStatusRequest'];
type Response = MessageTypes['envoy.service.status.v3.ClientStatusResponse'];

async function fetchStatus(client: XdsClient, request: Request = {}): Promise<Response> {
  const bytes = encodeMessage('envoy.service.status.v3.ClientStatusRequest', request);
  const answer = await client.call(`${service}/FetchClientStatus`, bytes);
  return decodeMessage('envoy.service.status.v3.ClientStatusResponse', answer);
}

/** `a SYNCED` of each resource of one type of the only proxy. */
function statuses(response: Response, type: 'cluster' | 'route' | 'listener'): readonly string[] {
  const configs = response.config?.[0]?.generic_xds_configs ?? [];
  return configs
    .filter((config) => config.type_url === typeUrl(type))
    .map((config) => `${config.name} ${config.config_status}`);
}

const scenario = (name: string, play: (t: TestServer) => Promise<void>): void =>
  test(name, withServer(play));

for (const variant of ['sotw', 'delta'] as const) {
  scenario(`46: ${variant}: each resource is SYNCED, STALE, NOT_SENT or ERROR`, async (t) => {
    t.serve(node, world);
    const player = createPlayer(t.client(), node, variant);
    await player.take('cluster');
    await player.take('listener');
    await player.take('route', ['r']);
    await player.quiet();
    const client = t.client();
    const first = await fetchStatus(client);
    assert.equal(statuses(first, 'cluster'), ['a SYNCED', 'b SYNCED']);
    assert.equal(statuses(first, 'route'), ['r SYNCED']);
    const next = { ...world, cds: ['a:2', 'b', 'n'], rds: ['r:2>a,n', 's>n'], lds: ['l:2>r'] };
    t.serve(node, next);
    await player.receive('cluster');
    player.nack(await player.receive('listener'), 'address in use');
    player.ask('route', ['s']);
    await player.quiet();
    const second = await fetchStatus(client);
    assert.equal(statuses(second, 'cluster'), ['a STALE', 'b SYNCED', 'n STALE']);
    assert.equal(statuses(second, 'route'), ['r STALE', 's NOT_SENT']);
    assert.equal(statuses(second, 'listener'), ['l ERROR']);
    const refused = second.config?.[0]?.generic_xds_configs?.find(({ name }) => name === 'l');
    assert.is(refused?.error_state?.details, 'address in use');
    assert.equal(refused?.error_state?.failed_configuration, refused?.xds_config);
  });
}

scenario('46: a resource has its type, version, time and contents', async (t) => {
  t.serve(node, world);
  const player = createPlayer(t.client(), node, 'delta');
  const { versions, resources } = await player.take('cluster');
  await player.quiet();
  const [proxy] = (await fetchStatus(t.client())).config ?? [];
  assert.is(proxy?.node?.id, node);
  assert.is(proxy?.client_scope, t.server.proxies()[0]?.id);
  const a = proxy?.generic_xds_configs?.find(({ name }) => name === 'a');
  assert.is(a?.version_info, versions.get('a'));
  assert.equal(a?.xds_config, resources[0]);
  const sinceMs = t.server.proxies()[0]?.types.cluster?.sinceMs ?? 0;
  assert.is(a?.last_updated?.seconds, Math.floor(sinceMs / 1000));
  const brief = await fetchStatus(t.client(), { exclude_resource_contents: true });
  const briefly = brief.config?.[0]?.generic_xds_configs?.find(({ name }) => name === 'a');
  assert.is(briefly?.xds_config, undefined);
  assert.is(briefly?.version_info, versions.get('a'));
});

scenario('46: of a secret its name, version and state are told, and nothing of it', async (t) => {
  t.serve(node, { ...world, sds: ['barrier', 'own'] });
  const player = createPlayer(t.client(), node, 'delta');
  const { versions } = await player.take('secret', ['own']);
  await player.quiet();
  const [proxy] = (await fetchStatus(t.client())).config ?? [];
  const own = proxy?.generic_xds_configs?.find(({ name }) => name === 'own');
  assert.is(own?.version_info, versions.get('own'));
  assert.is(own?.config_status, 'SYNCED');
  assert.is(own?.xds_config, undefined);
});

scenario('46: matchers choose among proxies, any of them', async (t) => {
  const client = t.client();
  const nodes = ['mesh/m/virtualNode/a', 'mesh/m/virtualNode/b', 'mesh/other/virtualNode/a'];
  for (const [index, id] of nodes.entries()) {
    t.serve(id, world);
    const stream = client.sotw(id);
    const metadata = { fields: { zone: { stringValue: `z${index}` } } };
    stream.send('cluster', { node: { id, metadata } });
    await stream.receive('cluster');
  }
  const found = async (node_matchers: Request['node_matchers']): Promise<readonly number[]> => {
    const { config = [] } = await fetchStatus(client, { node_matchers });
    return config.map((each) => nodes.indexOf(each.node?.id ?? '')).sort();
  };
  assert.equal(await found([]), [0, 1, 2]);
  assert.equal(await found([{ node_id: { exact: nodes[1] } }]), [1]);
  assert.equal(await found([{ node_id: { prefix: 'mesh/m/' } }]), [0, 1]);
  assert.equal(
    await found([{ node_id: { exact: nodes[1] } }, { node_id: { suffix: '/a' } }]),
    [0, 1, 2],
  );
  const inZone = (exact: string) => ({
    path: [{ key: 'zone' }],
    value: { string_match: { exact } },
  });
  assert.equal(await found([{ node_metadatas: [inZone('z2')] }]), [2]);
  assert.equal(
    await found([{ node_id: { prefix: 'mesh/m/' }, node_metadatas: [inZone('z2')] }]),
    [],
  );
});

scenario('46: a matcher that cannot be judged is refused', async (t) => {
  const stream = t.client().sotw(node);
  t.serve(node, world);
  stream.send('cluster');
  await stream.receive('cluster');
  try {
    await fetchStatus(t.client(), { node_matchers: [{ node_id: { safe_regex: { regex: '(' } } }] });
    assert.unreachable('an invalid expression was accepted');
  } catch (error) {
    assert.is((error as { readonly code?: number }).code, 3);
  }
});

scenario('46: the stream answers each request', async (t) => {
  t.serve(node, world);
  const discovery = t.client().sotw(node);
  const stream = t.client().open(`${service}/StreamClientStatus`);
  const ask = async (): Promise<number> => {
    stream.call.write(encodeMessage('envoy.service.status.v3.ClientStatusRequest', {}));
    const bytes = await stream.receive('a status');
    const response = decodeMessage('envoy.service.status.v3.ClientStatusResponse', bytes);
    return response.config?.length ?? 0;
  };
  assert.is(await ask(), 0);
  discovery.send('cluster');
  await discovery.receive('cluster');
  assert.is(await ask(), 1);
  stream.call.end();
  assert.is((await stream.ended()).code, 0);
});

test.run();
