/**
 * A PostgreSQL of a test's own: in a temporary folder, on a free port of 127.0.0.1 and on a Unix socket
 * there, as a user of its own where the tests run as root, which PostgreSQL refuses.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from '../../controller/demo/free-ports.js';
import { until } from './until.js';

export interface TestPostgres {
  readonly port: number;
  readonly folder: string;
  readonly dataFolder: string;
  /** A new empty database: its URL. */
  createDatabase(parameters?: string): Promise<string>;
  /** Runs a statement as the superuser. */
  sql(text: string, database?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  signal(name: NodeJS.Signals): void;
  /** Stops it at once, as a power cut does. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** A new empty database in the room of `smallMiB`; one a server. */
  createSmallDatabase(): Promise<string>;
  /** A copy of all its data as of now; `restore` goes back to it, and what came after is lost. */
  backUp(): Promise<string>;
  restore(copy: string): Promise<void>;
  stop(): Promise<void>;
}

export const postgresUser = 'headgate';

/** Where the programs are: Debian keeps them out of the path. */
function binFolder(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort() : [];
  const newest = versions.at(-1);
  return newest === undefined
    ? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim()
    : join(debian, newest, 'bin');
}

/** Whom database servers run as; undefined: whoever runs the tests. */
export function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const idOf = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Copies are made by whoever runs the tests, and PostgreSQL wants its folder to itself. */
function own(folder: string, user: ReturnType<typeof serverUser>): void {
  chmodSync(folder, 0o700);
  if (user !== undefined) {
    execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
  }
}

/** Whether small databases can be had: root alone may mount, and not in every container. */
export function canMount(): boolean {
  const mounted = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return process.getuid?.() === 0 && mounted.status === 0;
}

/** Mounts a file system of `$1` MiB at `$2` for `$3` and becomes `$3:$4`; nobody else ever sees it. */
const withSmallFolder = `
set -e
mount -t tmpfs -o "size=$1m,uid=$3,gid=$4,mode=0700" tmpfs "$2"
uid=$3 gid=$4
shift 4
exec setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"
`;

export async function startPostgres(
  options: {
    /** Lines of `postgresql.conf`. */
    readonly config?: readonly string[];
    /** A folder with a copy of another server's data, instead of a new one. */
    readonly dataFolder?: string;
    /** Of memory that it has for small databases, in a file system that ends with it: see `canMount`. */
    readonly smallMiB?: number;
  } = {},
): Promise<TestPostgres> {
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), 'headgate-pg-'));
  if (user !== undefined) {
    chownSync(folder, user.uid, user.gid);
  }
  const bin = binFolder();
  const data = options.dataFolder ?? join(folder, 'data');
  if (options.dataFolder === undefined) {
    const made = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', postgresUser, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...user, encoding: 'utf8', cwd: folder },
    );
    if (made.status !== 0) {
      throw new Error(`initdb failed: ${made.stderr}`);
    }
  }
  const [port = 0] = await freePorts(1);
  const config = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
    // A test's database need not outlive the machine.
    'fsync = off',
    ...(options.config ?? []),
  ];
  appendFileSync(join(data, 'postgresql.conf'), `\n${config.join('\n')}\n`);
  let server: ChildProcess | undefined;
  let output = '';
  const sql: TestPostgres['sql'] = async (text, database = 'postgres') => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: postgresUser, database });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const small = join(folder, 'small');
  const startProgram = (): ChildProcess => {
    const command = [join(bin, 'postgres'), '-D', data];
    const spawning = { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[] };
    if (options.smallMiB === undefined || user === undefined) {
      return spawn(command[0] ?? '', command.slice(1), { ...user, ...spawning });
    }
    const limits = [options.smallMiB, small, user.uid, user.gid].map(String);
    const script = ['sh', '-c', withSmallFolder, 'sh', ...limits, ...command];
    return spawn('unshare', ['--mount', ...script], spawning);
  };
  const start = async (): Promise<void> => {
    const child = startProgram();
    server = child;
    const keep = (text: Buffer) => {
      output = `${output}${text}`.slice(-4000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await until('PostgreSQL answers', async () => {
      const isThere = await sql('SELECT 1').then(
        () => true,
        () => false,
      );
      return isThere || child.exitCode !== null;
    });
    if (child.exitCode !== null) {
      throw new Error(`PostgreSQL ended: ${output}`);
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = once(child, 'close');
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  };
  if (options.smallMiB !== undefined) {
    mkdirSync(small);
  }
  await start();
  let databases = 0;
  return {
    port,
    folder,
    dataFolder: data,
    async createDatabase(parameters = '') {
      databases += 1;
      const name = `test${databases}`;
      await sql(`CREATE DATABASE ${name}`);
      return `postgres://${postgresUser}@127.0.0.1:${port}/${name}${parameters}`;
    },
    async createSmallDatabase() {
      await sql(`CREATE TABLESPACE small LOCATION '${small}'`);
      await sql('CREATE DATABASE small TABLESPACE small');
      return `postgres://${postgresUser}@127.0.0.1:${port}/small`;
    },
    sql,
    signal: (name) => void server?.kill(name),
    crash: () => end('SIGQUIT'),
    start,
    async backUp() {
      const copy = join(folder, `copy${performance.now()}`);
      await sql('CHECKPOINT');
      await end('SIGINT');
      cpSync(data, copy, { recursive: true, preserveTimestamps: true });
      await start();
      return copy;
    },
    async restore(copy) {
      await end('SIGQUIT');
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      own(data, user);
      await start();
    },
    async stop() {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
