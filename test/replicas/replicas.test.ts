/** Two replicas on one PostgreSQL, with a rollout: who leads, what is served where, and what is heard. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { openReplicas, viewOf } from './replica-stage.js';

const replicas = suite('two replicas');
const undo: Undo = [];
const stage = await openStage(replicas, undo, () =>
  openReplicas(undo, { names: ['a', 'b'], lease: '15s' }),
);

replicas('one leads, both say so, and both serve', async () => {
  const { leader, others } = await stage.roles();
  const [follower] = others;
  assert.ok(follower);
  const view = await viewOf(follower);
  assert.is(view?.replicas.length, 2);
  assert.ok((view?.epoch ?? 0) >= 1);
  await until('the follower serves', async () => {
    const { meshes, revision } = await follower.status();
    return meshes.length === 1 && revision.applied !== null;
  });
  // How the repositories are is in the leader's row, which it writes every so often.
  await until('the follower to say that the repository answers', async () => {
    return (await follower.status()).source.state === 'ok';
  });
  const metrics = async (url: string) => (await fetch(`${url}/metrics`)).text();
  assert.match(await metrics(leader.url), /^headgate_leader 1$/m);
  assert.match(await metrics(follower.url), /^headgate_leader 0$/m);
});

replicas('a rollout waits for proxies on both, and both are given each step', async () => {
  const { leader, others } = await stage.roles();
  const [follower] = others;
  assert.ok(follower);
  const near = stage.proxy();
  const far = stage.proxy();
  near.connect(leader.xds);
  far.connect(follower.xds);
  await near.untilHeld('routes', (proxy) => proxy.held.get('route')?.size === 1);
  await far.untilHeld('routes', (proxy) => proxy.held.get('route')?.size === 1);
  await until('the leader knows both', async () => {
    return (await leader.status()).proxies.synced === 2;
  });
  await until('the follower knows both', async () => {
    return (await follower.status()).proxies.connected === 2;
  });
  const id = await stage.release('v2', leader);
  await leader.rolloutIn(id, ['WaitingForApproval']);
  for (const proxy of [near, far]) {
    await proxy.untilHeld('10 %', () => proxy.weights() === 'checkout-v1=9000 checkout-v2=1000');
  }
  // A command is given to whoever is asked, and what it did is seen there at once.
  await follower.rolloutIn(id, ['WaitingForApproval']);
  assert.is(await follower.command(id, 'approve', 'looks good'), 200);
  const rollout = await leader.rolloutIn(id, ['WaitingForApproval', 'Baking', 'Progressing']);
  assert.ok(rollout);
  for (const proxy of [near, far]) {
    await proxy.untilHeld('50 %', () => proxy.weights() === 'checkout-v1=5000 checkout-v2=5000');
  }
  // In mid-rollout one changes over to the other replica, and is sent nothing.
  const versions = JSON.stringify([...far.held].map(([type, map]) => [type, [...map.keys()]]));
  far.connect(leader.xds);
  await until('the leader has it', async () => {
    const { connected, synced } = (await leader.status()).proxies;
    return connected === 2 && synced === 2;
  });
  assert.is(far.bytes, 0, `was sent ${far.received.join(', ')} although it had ${versions}`);
  near.connect(follower.xds);
  await until('the follower has it', async () => (await follower.status()).proxies.synced === 2);
  assert.is(near.bytes, 0, `was sent ${near.received.join(', ')}`);
  await leader.rolloutIn(id, ['WaitingForApproval']);
  assert.is(await leader.command(id, 'promote', 'go'), 200);
  await leader.rolloutIn(id, ['Succeeded']);
  await follower.rolloutIn(id, ['Succeeded']);
});

replicas('a refusal at a follower fails the rollout, and everybody goes back', async () => {
  const { leader, others } = await stage.roles();
  const [follower] = others;
  assert.ok(follower);
  const calm = stage.proxy();
  let mayRefuse = false;
  const picky = stage.proxy(undefined, {
    judge: (type) => (type === 'route' && mayRefuse ? 'no such luck' : undefined),
  });
  calm.connect(leader.xds);
  picky.connect(follower.xds);
  await until('both are there', async () => (await leader.status()).proxies.synced === 4);
  mayRefuse = true;
  const id = await stage.release('v3', leader);
  const rollout = await leader.rolloutIn(id, ['RollingBack', 'RolledBack']);
  mayRefuse = false;
  assert.match(rollout.reason ?? '', /refused route .*no such luck/);
  await follower.rolloutIn(id, ['RolledBack']);
  assert.not.match(calm.weights(), /checkout-v3/);
});

replicas(
  'the leader is told to stop: the other leads at once, and nothing is sent again',
  async () => {
    const { leader, others } = await stage.roles();
    const [follower] = others;
    assert.ok(follower);
    const proxy = stage.proxy();
    proxy.connect(follower.xds);
    await proxy.untilHeld('routes', () => proxy.held.get('route')?.size === 1);
    const before = proxy.bytes;
    const epoch = (await viewOf(follower))?.epoch;
    const startedMs = performance.now();
    const stopped = leader.stop();
    await until('the other leads', async () => (await viewOf(follower))?.role === 'leading');
    const tookMs = performance.now() - startedMs;
    await stopped;
    assert.is((await viewOf(follower))?.epoch, (epoch ?? 0) + 1);
    assert.is(proxy.bytes, before);
    process.stdout.write(`  handed over in ${Math.round(tookMs)} ms\n`);
  },
);

replicas.run();
