/**
 * gRPC without a proxy from Python: grpcio has the xDS of gRPC's C core, which many languages share and
 * which refuses what Envoy lets pass. It follows weights and endpoints, and what it refuses is shown.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyView } from '../../controller/api/proxy-view.js';
import { clusterName } from '../../controller/envoy/names.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import type { Snapshot } from '../../controller/envoy/snapshot.js';
import { runApi } from '../api/running-api.js';
import { type Answers, startGrpcio } from '../support/grpc-clients.js';
import { startNamedGrpc } from '../support/named-grpc.js';
import { ratingsMesh } from '../support/ratings-mesh.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const test = suite('gRPC without a proxy, from Python');
const undo: Undo = [];

async function startNamed(name: string): Promise<number> {
  const server = await startNamedGrpc(name);
  undo.push(server.stop);
  return server.port;
}

async function setUp() {
  const ports = await Promise.all(['v1', 'v2', 'elsewhere'].map(startNamed));
  const [v1 = 0, v2 = 0, elsewhere = 0] = ports;
  const onlyFirst = ratingsMesh([
    { port: v1, weight: 1 },
    { port: v2, weight: 0 },
  ]);
  const mesh = await serveMesh(onlyFirst);
  undo.push(() => mesh.stop());
  const client = await startGrpcio(mesh.xds);
  undo.push(() => client.stop());
  return { v1, v2, elsewhere, mesh, client };
}

const { v1, v2, elsewhere, mesh, client } = await openStage(test, undo, setUp);

/**
 * gRPC takes a new configuration up shortly after it has acknowledged it. Resolves with all answers that
 * came until `isIt`.
 */
async function untilAnswered(
  calls: number,
  what: string,
  isIt: (answers: Answers) => boolean,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  let answers: Answers = {};
  await until(
    what,
    async () => {
      answers = await client.ask(calls);
      for (const answer of Object.keys(answers)) {
        seen.add(answer);
      }
      return isIt(answers);
    },
    10_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last answers were ${JSON.stringify(answers)}`);
  });
  return seen;
}

test('47: a client finds a service by its name and follows the weights', async () => {
  assert.equal(await client.ask(20), { v1: 20 });
  await mesh.publish(
    ratingsMesh([
      { port: v1, weight: 50 },
      { port: v2, weight: 50 },
    ]),
  );
  // Of 200 at one half, 60 to 140 are more than five standard deviations.
  await untilAnswered(200, 'both versions answer alike', (answers) => {
    const { v1: first = 0, v2: second = 0 } = answers;
    return first + second === 200 && first >= 60 && first <= 140;
  });
  await mesh.publish(
    ratingsMesh([
      { port: v1, weight: 0 },
      { port: v2, weight: 1 },
    ]),
  );
  await untilAnswered(20, 'only v2 answers', (answers) => answers.v2 === 20);
});

test('47: a client follows the endpoints of a node, and no call fails on the way', async () => {
  await mesh.publish(
    ratingsMesh([
      { port: v1, weight: 0 },
      { port: elsewhere, weight: 1 },
    ]),
  );
  const seen = await untilAnswered(20, 'the new endpoint answers', (answers) => {
    return answers.elsewhere === 20;
  });
  const strangers = [...seen].filter((answer) => !['v2', 'elsewhere'].includes(answer));
  assert.equal(strangers, []);
});

/** The cluster of v2 as one that gRPC cannot have: it goes where a redirected connection was going. */
function withBadCluster(snapshot: Snapshot): Snapshot {
  const node = { name: 'ratings-v2' };
  const name = clusterName('egress', 'books', node, { protocol: 'grpc', port: 9090 });
  const others = [...snapshot.cluster.byName.values()].filter((one) => one.name !== name);
  const message = { name, type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' } as const;
  const bad = encodeResource('cluster', name, message, []);
  return { ...snapshot, cluster: resourceSet([...others, bad]) };
}

test('47: what a client refuses is shown with its reason, and what it had goes on', async () => {
  const good = ratingsMesh([
    { port: v1, weight: 0 },
    { port: elsewhere, weight: 1 },
  ]);
  const api = await runApi();
  undo.push(() => api.stop());
  const show = async (): Promise<ProxyView> => {
    api.proxies.splice(0, api.proxies.length, ...mesh.proxies());
    const [shown] = await api.json<readonly ProxyView[]>('/api/v1/proxies');
    assert.ok(shown !== undefined, 'the client is connected');
    return shown;
  };
  mesh.publishChanged(good, withBadCluster);
  await until('the client refuses', async () => (await show()).state === 'rejected');
  const { node, types, userAgent } = await show();
  assert.is(node, 'mesh/books/virtualNode/web');
  assert.match(userAgent, /^gRPC/);
  assert.is(types.cds?.state, 'rejected');
  assert.match(
    types.cds?.error ?? '',
    /cds_egress_books_ratings-v2_grpc_9090: .*unknown discovery type/,
  );
  assert.equal(await client.ask(5), { elsewhere: 5 });
  mesh.publishChanged(good, (snapshot) => snapshot);
  await until('the client has taken the good state again', async () => {
    return (await show()).state === 'synced';
  });
  assert.equal(await client.ask(5), { elsewhere: 5 });
});

test.run();
