/**
 * Several replicas in processes of their own on one PostgreSQL, a Git repository with a rollout in it, and
 * light proxies on them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusView } from '../../controller/api/view.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { type DatabaseLink, openLink } from '../support/database-link.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { LightProxy, type LightProxyOptions } from '../support/light-proxy.js';
import { policyYaml } from '../support/policy-yaml.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';

export const webNode = 'mesh/shop/virtualNode/web';

/** Each step waits for a person, so a test says when it goes on. */
const steppedPolicy = policyYaml({
  name: 'stepped',
  steps: [
    '{ progress: 10, bake: 0s }',
    '{ progress: 50, bake: 0s, approval: true }',
    '{ progress: 100, bake: 0s, approval: true }',
  ],
  fields: ['noData: pass'],
});

export interface ReplicaStage {
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly database: string;
  readonly repository: DemoRepository;
  readonly replicas: HeadgateProcess[];
  /** By replica name. */
  readonly links: ReadonlyMap<string, DatabaseLink>;
  /** Starts another one, called `name`. */
  start(name: string, env?: Readonly<Record<string, string>>): Promise<HeadgateProcess>;
  /** The one that leads, and the others. */
  roles(): Promise<{ readonly leader: HeadgateProcess; readonly others: HeadgateProcess[] }>;
  /** Commits a release of `version` and waits for its rollout at its first step. */
  release(version: string, on: HeadgateProcess): Promise<string>;
  proxy(node?: string, options?: LightProxyOptions): LightProxy;
}

export interface StageOptions {
  readonly names: readonly string[];
  readonly lease?: string;
  readonly policy?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly postgres?: TestPostgres;
  /** A database of `postgres` in place of a new one. */
  readonly database?: string;
  /** Where a pooler in front of `postgres` listens, which all replicas use. */
  readonly poolerPort?: number;
  /** Where each listens for Envoys, by name; otherwise anywhere. */
  readonly xdsPorts?: Readonly<Record<string, number>>;
  /** The mesh's files in place of one whose nodes nobody runs. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function openReplicas(undo: Undo, options: StageOptions): Promise<ReplicaStage> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-replicas-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const postgres = options.postgres ?? (await startPostgres());
  if (options.postgres === undefined) {
    undo.push(() => postgres.stop());
  }
  const database = options.database ?? (await postgres.createDatabase());
  const databasePort = options.poolerPort ?? postgres.port;
  const used = database.replace(`:${postgres.port}/`, `:${databasePort}/`);
  const repository = await createRepository(folder);
  const ports = { v1: 20001, v2: 20002, v3: 20003 };
  const files = meshFiles({ checkout: ports, app: ports });
  await repository.commit('first release', {
    ...(options.files ?? files),
    'policy.yaml': options.policy ?? steppedPolicy,
  });
  const replicas: HeadgateProcess[] = [];
  const known = new Set<string>();
  let proxies = 0;
  const links = new Map<string, DatabaseLink>();
  const start: ReplicaStage['start'] = async (name, env = {}) => {
    const link = links.get(name) ?? (await openLink(undo, databasePort));
    links.set(name, link);
    const replica = await startHeadgate(
      [
        ...['--repo', repository.bare, '--poll', '200ms', '--ack-deadline', '10s'],
        ...['--xds', `127.0.0.1:${options.xdsPorts?.[name] ?? 0}`],
        ...['--http', '127.0.0.1:0', '--drain', '1s'],
        ...['--cache', join(folder, `${name}.git`), '--replica', name],
        ...['--lease', options.lease ?? '3s'],
      ],
      { HEADGATE_STATE: link.through(used), ...options.env, ...env },
    );
    replicas.push(replica);
    undo.push(() => replica.stop('SIGKILL'));
    return replica;
  };
  for (const name of options.names) {
    await start(name);
  }
  return {
    ...{ folder, postgres, database, repository, replicas, links, start },
    roles: () => rolesOf(replicas),
    async release(version, on) {
      await repository.commit(`release ${version}`, { [routeFile]: checkout(version) });
      const { id } = await on.newRollout([...known]);
      known.add(id);
      return id;
    },
    proxy(node = webNode, proxyOptions = {}) {
      // Proxies of one node are told apart by where they listen.
      proxies += 1;
      const proxy = new LightProxy(node, {
        metadata: { 'headgate.egress': { address: '127.0.0.1', port: 15000 + proxies } },
        ...proxyOptions,
      });
      undo.push(() => proxy.disconnect());
      return proxy;
    },
  };
}

/** Waits until exactly one of those that run leads and all others know it. */
async function rolesOf(replicas: readonly HeadgateProcess[]) {
  let found: HeadgateProcess[] = [];
  let others: HeadgateProcess[] = [];
  let seen: unknown;
  await until('one replica leads', async () => {
    const running = replicas.filter(({ isRunning }) => isRunning());
    const views = await Promise.all(running.map(viewOf));
    seen = views.map((view) => [view?.name, view?.role, view?.epoch, view?.leader]);
    found = running.filter((_, index) => views[index]?.role === 'leading');
    others = running.filter((_, index) => views[index]?.role === 'following');
    const [leader] = views.filter((view) => view?.role === 'leading');
    return found.length === 1 && views.every((view) => view?.leader === leader?.name);
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(seen)}`);
  });
  const [leader] = found;
  if (leader === undefined) {
    throw new Error('nobody leads');
  }
  return { leader, others };
}

/** Undefined where it does not answer: it is stopped, or cut off. */
export async function viewOf(replica: HeadgateProcess): Promise<StatusView['replicas']> {
  if (!replica.isRunning()) {
    throw new Error(`a replica has ended: ${replica.log().slice(-2000)}`);
  }
  return (await replica.status()).replicas;
}
