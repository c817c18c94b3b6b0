/**
 * Three replicas lose their leader, their database, or the way between, in mid-rollout. Whatever it is:
 * what is served stays, nothing goes back, no two lead one epoch, and afterwards the rollout goes on. The
 * numbers are those of the list of faults.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HeadgateProcess } from '../support/headgate.js';
import type { LightProxy } from '../support/light-proxy.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { openReplicas, viewOf } from './replica-stage.js';

const faults = suite('replicas and faults');
const undo: Undo = [];
const names = ['a', 'b', 'c'];
const stage = await openStage(faults, undo, () => openReplicas(undo, { names, lease: '4s' }));
/** One on each replica, through all that follows. */
const proxies = new Map<HeadgateProcess, LightProxy>();

const tenPercent = 'checkout-v1=9000 checkout-v2=1000';
let rollout = '';

faults('a rollout has taken its first step everywhere', async () => {
  const { leader } = await stage.roles();
  for (const replica of stage.replicas) {
    const proxy = stage.proxy();
    proxy.connect(replica.xds);
    await proxy.untilHeld('routes', () => proxy.held.get('route')?.size === 1);
    proxies.set(replica, proxy);
  }
  await until('all are known', async () => (await leader.status()).proxies.synced === 3);
  rollout = await stage.release('v2', leader);
  await leader.rolloutIn(rollout, ['WaitingForApproval']);
  await everybodyHolds(tenPercent);
});

faults('D11 a leader that is paused and goes on has its late writes refused', async () => {
  const { leader, others } = await stage.roles();
  leader.signal('SIGSTOP');
  await someoneLeads(others);
  leader.signal('SIGCONT');
  await until('it follows', async () => (await viewOf(leader))?.role === 'following');
  await epochsRise();
  await everybodyHolds(tenPercent);
});

faults('D12 a leader that is cut off steps down before another one leads', async () => {
  const { leader, others } = await stage.roles();
  const link = stage.links.get(await nameOf(leader));
  link?.set('hole');
  const next = await someoneLeads(others);
  await until('it has stepped down', () => leader.log().includes('replica.leadsNoMore'));
  const downMs = lastAt(leader, 'replica.leadsNoMore');
  const upMs = lastAt(next, 'replica.leads');
  assert.ok(downMs <= upMs, `stepped down ${downMs - upMs} ms after the next one led`);
  link?.set('open');
  await until('it follows', async () => (await viewOf(leader))?.leader === (await nameOf(next)));
  await epochsRise();
  await everybodyHolds(tenPercent);
});

faults(
  'D08 a database that restarts, ends sessions or takes no writes changes nothing',
  async () => {
    const { postgres } = stage;
    const name = stage.database.split('/').at(-1) ?? '';
    await stage.roles();
    await postgres.crash();
    await until('somebody noticed', () =>
      stage.replicas.some(({ log }) => /store\.(failed|notL)/.test(log())),
    );
    for (const replica of stage.replicas) {
      assert.is((await fetch(`${replica.url}/readyz`)).status, 200);
    }
    // Whoever comes now is served as before.
    const [any] = stage.replicas;
    assert.ok(any);
    const late = stage.proxy();
    late.connect(any.xds);
    await late.untilHeld('routes', () => late.weights() === tenPercent);
    late.disconnect();
    await postgres.start();
    await stage.roles();
    await postgres.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
      name,
    );
    await stage.roles();
    await postgres.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await postgres.sql('SELECT pg_reload_conf()');
    await until('it is read-only', async () => {
      const rows = await postgres.sql('SHOW default_transaction_read_only', name);
      return rows[0]?.default_transaction_read_only === 'on';
    });
    await until('nobody leads', async () => {
      const views = await Promise.all(stage.replicas.map(viewOf));
      return views.every((view) => view?.role === 'following');
    });
    await everybodyHolds(tenPercent);
    // What changes the server's settings is no transaction of the database.
    await postgres.sql('ALTER SYSTEM RESET default_transaction_read_only');
    await postgres.sql('SELECT pg_reload_conf()');
    await stage.roles();
    await epochsRise();
    await everybodyHolds(tenPercent);
  },
);

faults('D10 a commit whose answer was cut off happens once', async () => {
  const { leader } = await stage.roles();
  const link = stage.links.get(await nameOf(leader));
  const commandsBefore = await commands();
  link?.set('cutAtCommit');
  await until('a commit was cut off', async () => {
    if (link?.cuts === 0) {
      await leader.command(rollout, 'pause', 'to have something stored');
    }
    return link?.cuts === 1;
  });
  const { leader: still } = await stage.roles();
  await until('it is paused', async () => {
    const [one] = (await still.rollouts()).filter(({ id }) => id === rollout);
    if (one?.phase !== 'Paused') {
      await still.command(rollout, 'pause', 'again');
    }
    return one?.phase === 'Paused';
  });
  const given = (await commands()) - commandsBefore;
  assert.ok(given >= 1 && given <= 2, `${given} commands are in the history`);
  assert.is(await still.command(rollout, 'resume', 'go on'), 200);
  await everybodyHolds(tenPercent);
});

faults('D15 a change whose NOTIFY was lost is found by looking', async () => {
  const { leader } = await stage.roles();
  const name = stage.database.split('/').at(-1) ?? '';
  await leader.rolloutIn(rollout, ['WaitingForApproval']);
  await stage.postgres.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN headgate' AND datname = '${name}'`,
  );
  assert.is(await leader.command(rollout, 'approve', 'on'), 200);
  await everybodyHolds('checkout-v1=5000 checkout-v2=5000');
});

faults('D09 a database that lost commits is not followed back, and leads nobody', async () => {
  const { leader } = await stage.roles();
  await leader.rolloutIn(rollout, ['WaitingForApproval']);
  const copy = await stage.postgres.backUp();
  const { leader: now } = await stage.roles();
  await now.rolloutIn(rollout, ['WaitingForApproval']);
  assert.is(await now.command(rollout, 'approve', 'the last step'), 200);
  await everybodyHolds('checkout-v2=10000');
  await stage.postgres.restore(copy);
  await until('everybody holds', async () => {
    const views = await Promise.all(stage.replicas.map(viewOf));
    return views.every((view) => view?.role === 'held');
  });
  for (const proxy of proxies.values()) {
    assert.is(proxy.weights(), 'checkout-v2=10000');
  }
  const metrics = await (await fetch(`${now.url}/metrics`)).text();
  assert.match(metrics, /^headgate_state_regressed 1$/m);
});

faults('at no moment did a proxy go back', () => {
  for (const proxy of proxies.values()) {
    const shares = proxy.weightsHeld.map((text) =>
      Number(/checkout-v2=(\d+)/.exec(text)?.[1] ?? 0),
    );
    assert.equal(
      shares,
      [...shares].sort((left, right) => left - right),
      proxy.weightsHeld.join('; '),
    );
  }
});

faults.run();

async function everybodyHolds(weights: string): Promise<void> {
  for (const proxy of proxies.values()) {
    await proxy.untilHeld(weights, () => proxy.weights() === weights);
  }
}

async function nameOf(replica: HeadgateProcess): Promise<string> {
  return (await viewOf(replica))?.name ?? '';
}

async function someoneLeads(among: readonly HeadgateProcess[]): Promise<HeadgateProcess> {
  let leader: HeadgateProcess | undefined;
  await until('another one leads', async () => {
    for (const replica of among) {
      if ((await viewOf(replica))?.role === 'leading') {
        leader = replica;
      }
    }
    return leader !== undefined;
  });
  return leader as HeadgateProcess;
}

/** When `replica` last logged `event`, milliseconds since 1970. */
function lastAt(replica: HeadgateProcess, event: string): number {
  const lines = replica
    .log()
    .split('\n')
    .filter((line) => line.includes(`"${event}"`));
  return Date.parse((JSON.parse(lines.at(-1) ?? '{}') as { time?: string }).time ?? '');
}

/** Invariant H7: in the order of their numbers, the history's entries never go back to an earlier epoch. */
async function epochsRise(): Promise<void> {
  const name = stage.database.split('/').at(-1) ?? '';
  const rows = await stage.postgres.sql('SELECT epoch FROM headgate_history ORDER BY id', name);
  const epochs = rows.map(({ epoch }) => Number(epoch));
  assert.equal(
    epochs,
    [...epochs].sort((left, right) => left - right),
  );
}

async function commands(): Promise<number> {
  const name = stage.database.split('/').at(-1) ?? '';
  const rows = await stage.postgres.sql(
    "SELECT COUNT(*) AS n FROM headgate_history WHERE kind = 'command'",
    name,
  );
  return Number(rows[0]?.n);
}
