/**
 * A PgBouncer of a test's own, between it and a `TestPostgres`, on a free port of 127.0.0.1. It lends each
 * connection for one transaction, as most poolers in front of PostgreSQL do, and refuses to run as root.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../controller/demo/free-ports.js';
import { canConnect } from './can-connect.js';
import { postgresUser, serverUser, type TestPostgres } from './postgres.js';
import type { Undo } from './stage.js';
import { until } from './until.js';

/** Connections to the server, for all clients together. */
const poolSize = 6;

export interface TestPooler {
  readonly port: number;
}

/** Whether the program is there: Debian's package pgbouncer has it. */
export function hasPgBouncer(): boolean {
  return spawnSync('pgbouncer', ['--version'], { env: pathEnv() }).status === 0;
}

export async function startPgBouncer(undo: Undo, postgres: TestPostgres): Promise<TestPooler> {
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), 'headgate-pooler-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'pgbouncer.ini');
  writeFileSync(
    config,
    `[databases]
* = host=127.0.0.1 port=${postgres.port} user=${postgresUser}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
`,
  );
  if (user !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(config, user.uid, user.gid);
  }
  const child = spawn('pgbouncer', [config], {
    ...user,
    cwd: folder,
    env: pathEnv(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (text: Buffer) => {
    output = `${output}${text}`.slice(-4000);
  });
  const exited = once(child, 'exit');
  undo.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await until('PgBouncer listens', () => canConnect(port)).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${output}`);
  });
  return { port };
}

/** Debian keeps it where only root looks. */
function pathEnv(): NodeJS.ProcessEnv {
  return { PATH: `${process.env.PATH}:/usr/sbin` };
}
