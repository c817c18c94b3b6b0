/**
 * What decides and what is kept, as the servers around it see it: one controller with a file of its own,
 * or one replica of several with a database between them.
 */
import { hostname } from 'node:os';
import type { HostPort } from '../base/socket-address.js';
import { renderHostPort } from '../base/socket-address.js';
import type { Settings } from '../config.js';
import type { Secrets } from '../envoy/secrets.js';
import type { CommandReply, LoopEvent } from '../loop/events.js';
import { Loop, type LoopDeps } from '../loop/loop.js';
import type { ProxyStatus, Publisher, Store } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import type { SinkStatus } from '../notify/sink.js';
import { Member } from '../replicas/member.js';
import type { MemberView } from '../replicas/view.js';
import { isPostgresUrl, openStore } from '../store/open-store.js';
import { openPostgres } from '../store/postgres.js';
import { postgresSettings } from '../store/postgres-settings.js';
import { programVersion } from '../version.js';
import { createDuties, type DutyDeps } from './duties.js';

export interface Engine {
  readonly history: Store['history'];
  /** The replicas; undefined: there is one controller. */
  readonly replicas?: () => MemberView;
  /** Serves what is stored, before anything listens. */
  start(secrets: Secrets): Promise<void>;
  /** Everything listens: looks at the repository, or waits for the lease, from now on. */
  join(at: { readonly xds: HostPort; readonly http: HostPort }): Promise<void>;
  current(): LoopState;
  enqueue(event: LoopEvent): void;
  command(command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>): Promise<CommandReply>;
  /** False while nothing can be stored. */
  isStoring(): boolean;
  remoteProxies(): readonly ProxyStatus[];
  /** Looks at the repository of that name now, or at all of them. */
  pollNow(repository?: string): void;
  /** How each target of notifications fares; empty where another replica tells people. */
  sinks(): readonly SinkStatus[];
  /** Decides nothing any more. */
  stop(): Promise<void>;
  /** Proxies have gone: closes everything. */
  close(): Promise<void>;
}

export interface EngineDeps
  extends Omit<DutyDeps, 'store' | 'durable' | 'enqueue'>,
    Pick<LoopDeps, 'notificationsFor' | 'onHandled' | 'onState'> {
  readonly publisher: Publisher;
  /** This replica's name, as in the ids of its proxies. */
  readonly replica: string;
}

/** Where the state is: the path of a file, or a PostgreSQL URL, which may hold a password. */
export function stateUrl(settings: Settings, readSecret: DutyDeps['readSecret']): string {
  const { state, stateUrlFile } = settings;
  return stateUrlFile === undefined ? state : readSecret({ kind: 'file', path: stateUrlFile });
}

export function isReplicated(settings: Settings): boolean {
  return settings.stateUrlFile !== undefined || isPostgresUrl(settings.state);
}

export function replicaName(settings: Settings): string {
  return settings.replica ?? hostname();
}

/** Opens the state. Throws `OpError`. */
export function openEngine(settings: Settings, deps: EngineDeps): Promise<Engine> {
  return isReplicated(settings) ? openMember(settings, deps) : openAlone(settings, deps);
}

async function openAlone(settings: Settings, deps: EngineDeps): Promise<Engine> {
  const store = await openStore(settings.state, deps);
  const duties = createDuties(settings, {
    ...deps,
    store,
    durable: () => loop.current().durable,
    enqueue: (event) => loop.enqueue(event),
  });
  const loop: Loop = new Loop(
    {
      ...deps,
      store,
      measurer: duties.measurer,
      wakeDispatcher: () => duties.wakeDispatcher(),
    },
    settings,
  );
  return {
    history: (query) => store.history(query),
    start: (secrets) => loop.start({ secrets, epoch: store.epoch }),
    join: async () => {
      duties.wakeDispatcher();
      duties.start();
    },
    current: () => loop.current(),
    enqueue: (event) => loop.enqueue(event),
    command: (command) => loop.command(command),
    isStoring: () => loop.isStoring(),
    remoteProxies: () => [],
    pollNow: (repository) => duties.pollNow(repository),
    sinks: () => duties.sinks(),
    stop: async () => {
      await duties.stop();
      await loop.stop();
    },
    close: () => store.close(),
  };
}

async function openMember(settings: Settings, deps: EngineDeps): Promise<Engine> {
  const { clock, readSecret, replica: name } = deps;
  const { statePasswordFile: path, leaseMs } = settings;
  const readPassword = path === undefined ? undefined : () => readSecret({ kind: 'file', path });
  // A replica that comes back is another one: nobody may take it for the one that went.
  const replica = `${name}~${process.pid.toString(36)}~${clock.now().toString(36)}`;
  const database = await openPostgres(
    postgresSettings(stateUrl(settings, readSecret), readPassword),
    { ...deps, replica, leaseMs },
  );
  let at = { xds: '', http: '' };
  const member = new Member(
    {
      ...deps,
      database,
      replica,
      describe: () => ({ name, version: programVersion(), ...at }),
      duties: (term) => createDuties(settings, { ...deps, ...term }),
    },
    settings,
  );
  return {
    history: (query) => database.reader.history(query),
    replicas: () => member.view(),
    start: (secrets) => member.start(secrets),
    join: ({ xds, http }) => {
      at = { xds: renderHostPort(xds), http: renderHostPort(http) };
      return member.join();
    },
    current: () => member.current(),
    enqueue: (event) => member.enqueue(event),
    command: (command) => member.command(command),
    isStoring: () => member.isStoring(),
    remoteProxies: () => member.remoteProxies(),
    pollNow: (repository) => member.pollNow(repository),
    sinks: () => member.sinks(),
    stop: () => member.stop(),
    close: async () => {
      await member.leave();
      await database.close();
    },
  };
}
