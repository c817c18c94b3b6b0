/**
 * What the loop needs of the world, as the loop wants it. Adapters implement these and never import one
 * another; `app.ts` brings them together. Adapters throw `OpError` only.
 */
import type { ProxyId } from '../base/brand.js';
import type { Revision } from '../base/revision.js';
import type { Secrets } from '../envoy/secrets.js';
import type { ProxyIdentity, ResourceType, SecretUse, Snapshot } from '../envoy/snapshot.js';
import type { EventEntry, EventName, eventTable } from '../event-table.js';
import type { MeasurementOrder } from '../rollout/gates/measurement.js';

export interface Clock {
  /** Wall clock, milliseconds since 1970: what is stored and shown. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Logger {
  info(event: EventOf<'info'>, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: EventOf<'warn'>, fields?: Readonly<Record<string, unknown>>): void;
  error(event: EventOf<'error'>, fields?: Readonly<Record<string, unknown>>): void;
}

/** Names of the events that are logged at one level. */
export type EventOf<Level extends EventEntry['level']> = {
  [Name in EventName]: (typeof eventTable)[Name]['level'] extends Level ? Name : never;
}[EventName];

// Source

/** Answers of a source; a failure never changes what is served. */
export type SourceEvent =
  | { readonly kind: 'revision'; readonly revision: Revision }
  /** The source was reached and nothing is new. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'failed';
      /** `git-unreachable`, `git-auth`, `git-timeout`, `branch-missing`, `empty-repository`… */
      readonly code: string;
      readonly message: string;
      /** When the source tries again, in milliseconds from now. */
      readonly retryInMs: number;
    };

export interface Source {
  /** Polls until `stop`; `onEvent` is called once a poll, with when that poll began. */
  start(onEvent: (event: SourceEvent, startedAtMs: number) => void): void;
  /** Polls now (a webhook, a command); calls while a poll runs become one more poll. */
  pollNow(): void;
  stop(): Promise<void>;
}

/** Where the secrets of proxies come from. */
export interface SecretSource {
  /**
   * Answers the secrets of now; from then on until `stop`, `onChange` is called with all of them whenever
   * one changed.
   */
  start(onChange: (secrets: Secrets) => void): Promise<Secrets>;
  /** When the certificates end that there are now. */
  expiries(): readonly CertificateExpiry[];
  stop(): Promise<void>;
}

/** The end of one certificate, or of the first of several that are trusted. */
export interface CertificateExpiry {
  /** The secret's name; `xds` for the port's own. */
  readonly name: string;
  readonly use: 'server' | SecretUse;
  readonly atMs: number;
}

// Publisher: the xDS server as the loop sees it

/** What is to be served from now on. */
export interface Publication {
  /** Rises by one with each publication of this process. */
  readonly generation: number;
  /**
   * The snapshot for one proxy; undefined where its node is not known: its requests are then parked
   * and never answered empty. Called again only for a new publication or a changed identity.
   */
  snapshotFor(proxy: ProxyIdentity): Snapshot | undefined;
}

export type TypeState = 'synced' | 'stale' | 'rejected' | 'notSent';

export interface ProxyTypeStatus {
  readonly state: TypeState;
  /** Version of what is to be served; empty where nothing is. */
  readonly version: string;
  readonly ackedVersion: string;
  /** When `state` began, milliseconds since 1970. */
  readonly sinceMs: number;
  /** Envoy's own text. */
  readonly error?: string;
}

export interface ProxyStatus {
  readonly id: ProxyId;
  readonly identity: ProxyIdentity;
  /** The peer, `address:port`. */
  readonly address: string;
  readonly connectedAtMs: number;
  /** The newest generation whose resources for this proxy it has acknowledged all; 0: none yet. */
  readonly ackedGeneration: number;
  readonly types: Readonly<Partial<Record<ResourceType, ProxyTypeStatus>>>;
  /** `envoy 1.40.0`, as the proxy says. */
  readonly userAgent: string;
}

/** One resource of one proxy: what it is to have, and what it has acknowledged. */
export interface ProxyResource {
  readonly type: ResourceType;
  readonly name: string;
  readonly state: TypeState;
  /** Undefined: it is to be removed. */
  readonly desired?: { readonly version: string; readonly any: Uint8Array };
  /** Undefined: nothing yet. Of what a proxy brought along from before, only the version is known. */
  readonly running?: { readonly version: string; readonly any?: Uint8Array };
  /** Envoy's own text. */
  readonly error?: string;
}

export type PublisherEvent =
  | { readonly kind: 'proxyConnected'; readonly proxy: ProxyStatus }
  /** `ackedGeneration` rose. */
  | { readonly kind: 'proxyAcked'; readonly proxy: ProxyStatus }
  | {
      readonly kind: 'proxyNacked';
      readonly proxy: ProxyStatus;
      readonly type: ResourceType;
      /** Names of the resources in the refused response. */
      readonly resources: readonly string[];
      readonly error: string;
      /** The generation that the refused response was made from. */
      readonly generation: number;
    }
  | { readonly kind: 'proxyDisconnected'; readonly id: ProxyId; readonly clean: boolean }
  | { readonly kind: 'loadReported'; readonly report: LoadReport }
  | { readonly kind: 'statsReported'; readonly report: StatsReport };

/** One load report of one proxy (LRS), counters since its last one. */
export interface LoadReport {
  /** The proxy's ADS stream on the same connection, where there is one. */
  readonly proxyId?: ProxyId;
  readonly nodeId: string;
  readonly clusters: readonly ClusterLoad[];
}

export interface ClusterLoad {
  readonly cluster: string;
  readonly intervalMs: number;
  readonly successes: number;
  /** 5xx and connection failures, as Envoy counts them. */
  readonly errors: number;
  /** Requests sent in the interval, answered or not. */
  readonly issued: number;
  readonly inProgress: number;
}

/** Statistics of one proxy (Envoy's metrics service), as far as gates judge by them. */
export interface StatsReport {
  readonly proxyId?: ProxyId;
  readonly nodeId: string;
  /** Time since the last one, in which the histograms counted. */
  readonly intervalMs: number;
  readonly clusters: readonly ClusterStats[];
}

export interface ClusterStats {
  readonly cluster: string;
  /** Undefined: no answer in the interval. */
  readonly latency?: Histogram;
  /** Undefined: the message did not say. */
  readonly members?: ClusterMembers;
}

/** Counts of one interval. */
export interface Histogram {
  /** Upper bounds in milliseconds, rising; answers above the last one are in no bucket. */
  readonly boundsMs: readonly number[];
  /** Answers in each bucket, those of lower buckets not included. */
  readonly counts: readonly number[];
  /** Answers in all, those above the last bound included. */
  readonly total: number;
}

/** Endpoints of a cluster as one proxy sees them. */
export interface ClusterMembers {
  readonly total: number;
  /** By active health checks and outlier detection together. */
  readonly healthy: number;
  /** By outlier detection alone. */
  readonly ejected: number;
}

export interface Publisher {
  publish(publication: Publication): void;
  proxies(): readonly ProxyStatus[];
}

// Measurer: asks the operator's providers

export interface Measurer {
  /**
   * Asks what `orders` say, each at its interval, from now on and nothing else: what is asked already goes
   * on, and what is not among them any more is given up, its request included.
   */
  watch(orders: readonly MeasurementOrder[]): void;
  stop(): Promise<void>;
}

// Store

/** A value of the state, kept as JSON under its key. `null` deletes. */
export interface StoreWrite {
  readonly kind: string;
  readonly key: string;
  readonly json: string | null;
}

export interface StoredNotification {
  /** Unique for ever: the receivers' idempotency key. */
  readonly id: string;
  /** Notifications of one topic (a rollout) are delivered in order. */
  readonly topic: string;
  readonly sink: string;
  readonly createdAtMs: number;
  readonly json: string;
  /**
   * True for progress that a later notification makes old news: dropped first where a dead sink lets
   * the outbox grow to its limit. Undefined: false.
   */
  readonly expendable?: boolean;
}

export interface OutboxEntry extends StoredNotification {
  readonly attempts: number;
  /** Milliseconds since 1970; 0: it was never attempted and is due. */
  readonly nextAttemptAtMs: number;
}

/** A notification that will not be delivered, kept for people to look at. */
export interface DeadLetter extends StoredNotification {
  readonly attempts: number;
  readonly error: string;
  readonly diedAtMs: number;
}

export interface HistoryEntry {
  readonly atMs: number;
  /** `revision`, `rollout`, `command`, `source`, `proxy`. */
  readonly kind: string;
  readonly json: string;
}

export interface StoredHistoryEntry extends HistoryEntry {
  /** Rises by one with each entry. */
  readonly id: number;
}

/** One atomic step of the state: all of it or none. */
export interface Transaction {
  readonly writes: readonly StoreWrite[];
  readonly history: readonly HistoryEntry[];
  readonly notifications: readonly StoredNotification[];
  /** Answers to commands that another replica took. Undefined: none. */
  readonly answers?: readonly { readonly command: number; readonly json: string }[];
}

export interface Store {
  /** All values of the state, for the start. */
  load(): Promise<
    readonly { readonly kind: string; readonly key: string; readonly json: string }[]
  >;
  /** Durable when it returns. */
  commit(transaction: Transaction): Promise<void>;
  /** Newest first, at most `limit`, older than the entry `before` where it is given. */
  history(query: {
    readonly kind?: string;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly StoredHistoryEntry[]>;
  /** The oldest undelivered notification of each topic of one sink, the next one due first. */
  outbox(query: { readonly sink: string; readonly limit: number }): Promise<readonly OutboxEntry[]>;
  delivered(id: string, sink: string): Promise<void>;
  /** An attempt failed, another will follow. */
  retryLater(id: string, sink: string, nextAttemptAtMs: number): Promise<void>;
  /** Moves the notification to the dead letters. */
  giveUp(id: string, sink: string, error: string): Promise<void>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  close(): Promise<void>;
}
