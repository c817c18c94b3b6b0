/**
 * The way to a PostgreSQL that shows a certificate of an authority of its own and wants a password: who is
 * talked to is checked by name and by address, and the password comes from a file. And URLs that are wrong.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import { openPostgres } from '../../controller/store/postgres.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import { type Authority, createAuthority } from '../support/authority.js';
import type { Issued } from '../support/certificates.js';
import { startPostgres } from '../support/postgres.js';
import { recordingLogger } from '../support/recording-logger.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { opError } from './store-suite.js';

const test = suite('the way to PostgreSQL');
const undo: Undo = [];
const stage = await openStage(test, undo, async () => {
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const own = await createAuthority();
  const foreign = await createAuthority('another');
  undo.push(
    () => own.remove(),
    () => foreign.remove(),
  );
  const data = postgres.dataFolder;
  const { uid, gid } = statSync(data);
  const serve = async (issued: Issued): Promise<void> => {
    for (const [from, to] of [
      [issued.chain, 'server.crt'],
      [issued.key, 'server.key'],
    ] as const) {
      copyFileSync(from, join(data, to));
      chmodSync(join(data, to), 0o600);
      execFileSync('chown', [`${uid}:${gid}`, join(data, to)]);
    }
    const before = (await postgres.sql('SELECT pg_conf_load_time()::text AS at'))[0]?.at;
    await postgres.sql('ALTER SYSTEM SET ssl = on');
    await postgres.sql('SELECT pg_reload_conf()');
    await until('the certificate is shown', async () => {
      const [row] = await postgres.sql('SELECT pg_conf_load_time()::text AS at');
      return String(row?.at) !== String(before);
    });
  };
  const hba = join(data, 'pg_hba.conf');
  writeFileSync(
    hba,
    `hostssl all app 127.0.0.1/32 scram-sha-256\nhost all headgate 127.0.0.1/32 trust\n`,
  );
  await postgres.sql("CREATE ROLE app LOGIN PASSWORD 'first'");
  const url = await postgres.createDatabase();
  const name = url.split('/').at(-1) ?? '';
  await postgres.sql(`ALTER DATABASE ${name} OWNER TO app`);
  const passwordFile = join(own.folder, 'password');
  writeFileSync(passwordFile, 'first\n');
  return { postgres, own, foreign, serve, name, passwordFile };
});

/** Opens the database and asks it something. */
async function reach({
  host = 'localhost',
  ca,
  mode = 'verify-full',
}: {
  readonly host?: string;
  readonly ca?: Authority;
  readonly mode?: string;
}): Promise<void> {
  const { postgres, name, passwordFile } = stage;
  const root = ca === undefined ? '' : `&sslrootcert=${ca.ca}`;
  const url = `postgres://app@${host}:${postgres.port}/${name}?sslmode=${mode}${root}`;
  const settings = postgresSettings(url, () => readFileSync(passwordFile, 'utf8').trim());
  // Without patience: a start would wait half a minute for a server that is just starting.
  let nowMs = 0;
  const clock = { ...createClock(), now: () => (nowMs += 60_000) };
  const shared = await openPostgres(settings, {
    ...{ replica: 'a', leaseMs: 60_000, clock, logger: recordingLogger() },
  });
  try {
    await shared.lease();
  } finally {
    await shared.close();
  }
}

test('a certificate of the own authority for the name is taken, and nothing else', async () => {
  const { own, foreign, serve } = stage;
  await serve(await own.issue('named', 'DNS:localhost'));
  await reach({ ca: own });
  assert.match((await opError(reach({ ca: foreign }))).message, /certificate/);
  assert.match((await opError(reach({}))).message, /certificate/);
  // The name is not the address, though it leads there.
  const wrong = await opError(reach({ host: '127.0.0.1', ca: own }));
  assert.match(wrong.message, /127\.0\.0\.1 is not in the cert/);
  await reach({ host: '127.0.0.1', ca: own, mode: 'verify-ca' });
});

test('a certificate for another name is refused, one for the address is good for the address', async () => {
  const { own, serve } = stage;
  await serve(await own.issue('other', 'DNS:db.internal'));
  assert.match((await opError(reach({ ca: own }))).message, /does not match certificate/);
  await serve(await own.issue('address', 'IP:127.0.0.1'));
  await reach({ host: '127.0.0.1', ca: own });
});

test('a password of a file is read anew at each connection, and is in no message', async () => {
  const { own, serve, postgres, passwordFile } = stage;
  await serve(await own.issue('rotated', 'DNS:localhost'));
  await postgres.sql("ALTER ROLE app PASSWORD 'second-one'");
  const refused = await opError(reach({ ca: own }));
  assert.is(refused.code, 'store-auth');
  assert.not.match(JSON.stringify([refused.message, refused.stack]), /first|second-one/);
  writeFileSync(passwordFile, 'second-one\n');
  await reach({ ca: own });
});

for (const [url, part] of [
  ['postgres://u%zz:p@h/d', 'user'],
  ['postgres://u:p%zzword@h/d', 'password'],
  ['postgres://u:p%@h/d', 'password'],
  ['postgres://u:p@h/d%e0', 'database'],
] as const) {
  test(`a URL whose ${part} has a % that begins nothing is refused without it: ${url}`, async () => {
    const error = await opError(Promise.resolve().then(() => postgresSettings(url, undefined)));
    assert.is(error.code, 'store-cannot-open');
    assert.match(error.message, `% in its ${part}`);
    assert.not.match(error.message, 'zz');
  });
}

test.run();
