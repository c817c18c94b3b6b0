/**
 * A database that is full, or too slow to answer, and one with a pooler in front of it. The rollout stands
 * still where it has to, what is served stays, whoever comes is served, and afterwards it goes on.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PostgresConnection } from '../../controller/store/postgres-connection.js';
import {
  migratePostgres,
  type PostgresStep,
  postgresSteps,
} from '../../controller/store/postgres-migrations.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import type { HeadgateProcess } from '../support/headgate.js';
import type { LightProxy } from '../support/light-proxy.js';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.js';
import { canMount, startPostgres } from '../support/postgres.js';
import { recordingLogger } from '../support/recording-logger.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { openReplicas, type ReplicaStage, viewOf } from './replica-stage.js';

const faults = suite('databases with faults');
const undo: Undo = [];
const isMounted = canMount();
const postgres = await openStage(faults, undo, async () => {
  const server = await startPostgres(isMounted ? { smallMiB: 40 } : {});
  undo.push(() => server.stop());
  return server;
});
const names = ['a', 'b'];
const tenPercent = 'checkout-v1=9000 checkout-v2=1000';
const half = 'checkout-v1=5000 checkout-v2=5000';

faults('D08 a database that is too slow to answer stops rollouts and nothing else', async () => {
  const stage = await openReplicas(undo, { names, lease: '3s', postgres });
  const release = await firstStep(stage);
  for (const link of stage.links.values()) {
    link.set('slow');
  }
  await until('nobody leads', async () =>
    (await roles(stage)).every((role) => role === 'following'),
  );
  await expectServed(release, tenPercent);
  for (const link of stage.links.values()) {
    link.set('open');
  }
  await secondStep(release);
});

faults(
  'D20 replicas go on while a newer version changes the tables, and serve on where it leaves them behind',
  async () => {
    const stage = await openReplicas(undo, { names, lease: '3s', postgres });
    const release = await firstStep(stage);
    const change = 'ALTER TABLE headgate_history ADD COLUMN note text';
    const next = [...postgresSteps, { usableFrom: 1, sql: change }];
    await migrate(stage.database, next);
    await secondStep(release);
    await migrate(stage.database, [...next, { usableFrom: next.length, sql: 'SELECT 1' }]);
    await until('they know that they are left behind', async () =>
      (await roles(stage)).every((role) => role === 'leftBehind'),
    );
    await expectServed(release, half);
    for (const replica of stage.replicas) {
      assert.is(replica.log().split('"replica.leftBehind"').length, 2, 'it is said once');
      const metrics = await (await fetch(`${replica.url}/metrics`)).text();
      assert.match(metrics, /^headgate_replica_role\{[^}]*member="leftBehind"\} 1$/m);
    }
  },
);

faults('D09 a leader that has nothing to store notices that commits were lost', async () => {
  const stage = await openReplicas(undo, { names, lease: '3s', postgres });
  await firstStep(stage);
  const { leader } = await stage.roles();
  const { epoch } = (await viewOf(leader)) ?? {};
  const name = stage.database.split('/').at(-1) ?? '';
  // All of the database but this goes on, so neither the lease nor a connection tells of it.
  await postgres.sql('UPDATE headgate_head SET seq = seq - 1', name);
  await until('everybody holds', async () => (await roles(stage)).every((role) => role === 'held'));
  await postgres.sql('UPDATE headgate_head SET seq = seq + 1', name);
  const { leader: next } = await stage.roles();
  assert.ok(((await viewOf(next))?.epoch ?? 0) > (epoch ?? 0));
});

faults(
  'H2 a value that was changed by hand is served by nobody, and what is served stays until it is mended',
  async () => {
    const stage = await openReplicas(undo, { names, lease: '3s', postgres });
    const release = await firstStep(stage);
    const name = stage.database.split('/').at(-1) ?? '';
    const change = (from: string, to: string) =>
      postgres.sql(
        `UPDATE headgate_state SET json = replace(json, '${from}', '${to}') ` +
          `WHERE kind = 'applied' AND json LIKE '%${from}%'`,
        name,
      );
    await change('checkout-v1', 'checkout-v9');
    const { leader, others } = await stage.roles();
    await leader.stop('SIGKILL');
    const [other] = others;
    assert.ok(other);
    const failures = () => timesOf(other, 'replica.cannotLead');
    await until('it cannot lead, and tries again', () => failures().length >= 2);
    const [first = 0, second = 0] = failures();
    assert.ok(second - first >= 2_000, `it tried again ${second - first} ms later`);
    assert.match(other.log(), /a value \(applied [^)]+\) that is not what was written/);
    const proxy = stage.proxy();
    proxy.connect(other.xds);
    await proxy.untilHeld('routes', () => proxy.weights() === tenPercent);
    const refusal = await stage.start('c').then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    assert.match(refusal, /headgate ended with 1/);
    assert.match(refusal, /restore the table headgate_state from a backup/);
    await change('checkout-v9', 'checkout-v1');
    await until('it leads', async () => (await viewOf(other))?.role === 'leading');
    assert.is(proxy.weights(), tenPercent);
    assert.ok((await other.rollouts()).some(({ id }) => id === release.id));
  },
);

if (isMounted) {
  faults('D08 a full database stops rollouts and nothing else, until it has room', async () => {
    const database = await postgres.createSmallDatabase();
    const stage = await openReplicas(undo, { names, lease: '3s', postgres, database });
    const release = await firstStep(stage);
    await fill('small');
    const { leader } = await stage.roles();
    await until('a commit was refused for want of room', async () => {
      // What is in pages that have room yet is not refused.
      await leader.command(release.id, 'pause', 'to have something stored');
      await leader.command(release.id, 'resume', 'and more');
      return leader.log().includes('has no room left');
    });
    await expectServed(release, tenPercent);
    await postgres.sql('DROP TABLE filler', 'small');
    await secondStep(release);
  });
} else {
  console.log('left out: D08 a full database; no file system can be mounted here');
}

if (hasPgBouncer()) {
  faults(
    'D14 behind a pooler one leads, commands arrive, and what is stored is found by looking',
    async () => {
      const { port: poolerPort } = await startPgBouncer(undo, postgres);
      const stage = await openReplicas(undo, { names, lease: '3s', postgres, poolerPort });
      const release = await firstStep(stage);
      for (const replica of stage.replicas) {
        await until('it says that nothing is announced', () =>
          replica.log().includes('"store.notNotified"'),
        );
      }
      const { leader, others } = await stage.roles();
      const [other] = others;
      assert.ok(other);
      assert.is(await other.command(release.id, 'approve', 'given to one that follows'), 200);
      await expectHeld(release, half);
      await leader.stop('SIGKILL');
      await until('the other one leads', async () => (await viewOf(other))?.role === 'leading');
      await other.rolloutIn(release.id, ['WaitingForApproval']);
      assert.is(await other.command(release.id, 'approve', 'the last step'), 200);
      await other.rolloutIn(release.id, ['Succeeded']);
      const locks = await postgres.sql("SELECT * FROM pg_locks WHERE locktype = 'advisory'");
      assert.is(locks.length, 0, 'no lock outlives its transaction');
    },
  );
} else {
  console.log('left out: D14; pgbouncer is not there, which Debian’s package pgbouncer has');
}

faults.run();

interface Release {
  readonly id: string;
  readonly stage: ReplicaStage;
  /** One on each replica. */
  readonly proxies: readonly LightProxy[];
}

/** A rollout at its first step on all replicas of `stage`. */
async function firstStep(stage: ReplicaStage): Promise<Release> {
  const { leader } = await stage.roles();
  const proxies: LightProxy[] = [];
  for (const replica of stage.replicas) {
    const proxy = stage.proxy();
    proxy.connect(replica.xds);
    await proxy.untilHeld('routes', () => proxy.held.get('route')?.size === 1);
    proxies.push(proxy);
  }
  await until('all are known', async () => (await leader.status()).proxies.synced === names.length);
  const id = await stage.release('v2', leader);
  await leader.rolloutIn(id, ['WaitingForApproval']);
  const release = { id, stage, proxies };
  await expectHeld(release, tenPercent);
  return release;
}

/** Whoever leads now is told to go on, wherever the faults left the rollout, and does. */
async function secondStep({ id, stage, proxies }: Release): Promise<void> {
  const { leader } = await stage.roles();
  await until('the rollout goes on', async () => {
    const [one] = (await leader.rollouts()).filter((rollout) => rollout.id === id);
    const isAtFirst = proxies.every((proxy) => proxy.weights() === tenPercent);
    if (one?.phase === 'Paused') {
      await leader.command(id, 'resume', 'again');
    } else if (one?.phase === 'WaitingForApproval' && isAtFirst) {
      await leader.command(id, 'approve', 'again');
    }
    return proxies.every((proxy) => proxy.weights() === half);
  });
}

async function roles({ replicas }: ReplicaStage): Promise<readonly (string | undefined)[]> {
  return (await Promise.all(replicas.map(viewOf))).map((view) => view?.role);
}

async function expectHeld({ proxies }: Release, weights: string): Promise<void> {
  for (const proxy of proxies) {
    await proxy.untilHeld(weights, () => proxy.weights() === weights);
  }
}

/** When `replica` logged `event`, milliseconds since 1970. */
function timesOf(replica: HeadgateProcess, event: string): readonly number[] {
  const lines = replica.log().split('\n').slice(0, -1);
  return lines
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => Date.parse((JSON.parse(line) as { readonly time: string }).time));
}

/** All are ready and serve `weights`, also to proxies that are new. */
async function expectServed(release: Release, weights: string): Promise<void> {
  await expectHeld(release, weights);
  const { stage } = release;
  await Promise.all(stage.replicas.map((replica) => expectAdmission(stage, replica, weights)));
}

async function expectAdmission(
  stage: ReplicaStage,
  replica: HeadgateProcess,
  weights: string,
): Promise<void> {
  assert.is((await fetch(`${replica.url}/readyz`)).status, 200);
  const late = stage.proxy();
  late.connect(replica.xds);
  await late.untilHeld('routes', () => late.weights() === weights);
  late.disconnect();
}

/** As a newer version's start does. */
async function migrate(url: string, steps: readonly PostgresStep[]): Promise<void> {
  const connection = new PostgresConnection(postgresSettings(url, undefined), recordingLogger(), 1);
  try {
    await migratePostgres(connection, steps);
  } finally {
    await connection.close();
  }
}

/** Leaves no page free in `database`, and none that comes free by itself. */
async function fill(database: string): Promise<void> {
  await postgres.sql(
    'CREATE TABLE filler (bytes bytea) WITH (autovacuum_enabled = false)',
    database,
  );
  await postgres.sql('ALTER TABLE filler ALTER bytes SET STORAGE PLAIN', database);
  await until('it is full', async () => {
    const outcome = await postgres
      .sql(
        "INSERT INTO filler SELECT decode(repeat('ab', 7000), 'hex') FROM generate_series(1, 500)",
        database,
      )
      .catch((error: { readonly code?: string }) => error.code);
    return outcome === '53100';
  });
}
