/** What the xDS server can be told, and what it does otherwise; each default with its reason. */
import { getHeapStatistics } from 'node:v8';
import type { HostPort } from '../base/socket-address.js';

export interface XdsSettings {
  /** Port 0 takes any free one. */
  readonly listen: HostPort;
  /** How often proxies report their load. Envoy 1.40 keeps to 100 ms and more. */
  readonly loadReportIntervalMs: number;
  /** What the ids of this replica's proxies end in: those of two replicas must differ. */
  readonly idSuffix?: string;
  /** Who sent a response, as it shows in a proxy's config dump. */
  readonly controlPlane?: string;
  /** For how long an unanswered response holds back newer state of its type. */
  readonly ackTimeoutMs?: number;
  /** A proxy that takes nothing for so long, or takes so long to say one thing, is disconnected. */
  readonly stalledMs?: number;
  /** How long a connection may be silent before it is asked for a sign of life. */
  readonly keepaliveTimeMs?: number;
  /** How long the sign of life may take. */
  readonly keepaliveTimeoutMs?: number;
  /** Connections are ended about here, so that proxies spread over replicas. 0: never. */
  readonly connectionAgeMs?: number;
  readonly requestBytesMax?: number;
  readonly streamsPerConnectionMax?: number;
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
  readonly streamsPerSecondMax?: number;
  /** Memory for the names that all streams together have asked for, in bytes. */
  readonly namesBytesMax?: number;
  /** How long after it has connected a peer may open its first stream. */
  readonly idleMs?: number;
  /** For how long a peer is kept out that was cut for misconduct. */
  readonly banMs?: number;
}

export const xdsDefaults = {
  idSuffix: '',
  controlPlane: 'headgate',
  /** Envoy acknowledges within milliseconds, except where it warms; a rollback must not wait for that. */
  ackTimeoutMs: 3_000,
  /** The time after which operators of a mesh call a proxy gone. */
  stalledMs: 30_000,
  /** A peer that vanished without a word is noticed after 15 s, by the first ping that nobody answers. */
  keepaliveTimeMs: 10_000,
  keepaliveTimeoutMs: 5_000,
  connectionAgeMs: 0,
  /**
   * A delta proxy that reconnects lists every resource that it has in one request: 8 MiB are 60,000
   * names of 100 bytes with their versions. grpc-js would stop at 4 MiB.
   */
  requestBytesMax: 8 * 1024 * 1024,
  /**
   * One connection of Envoy carries ADS, load reports and, at most, a stream for each secret. Clients
   * may count on a hundred (RFC 9113, 6.5.2). It also bounds what one peer can make us hold in
   * unfinished requests.
   */
  streamsPerConnectionMax: 100,
  /** One proxy has one connection, or two while it changes over. */
  connectionsMax: 20_000,
  /** Proxies behind one load balancer or NAT have one address; nobody alone may take every place. */
  connectionsPerAddressMax: 10_000,
  /**
   * New streams of one connection, counted over each second. Envoy opens a few, and after a failure one
   * every half second; it is for peers that open and take back streams as fast as they can.
   */
  streamsPerSecondMax: 128,
  /** 5 million names of 20 characters in the usual heap of 4 GB; a list that proxies share counts once. */
  namesBytesMax: Math.floor(getHeapStatistics().heap_size_limit / 4),
  /** Envoy and gRPC open a stream as soon as they are connected; who does not keeps a place from others. */
  idleMs: 10_000,
  /** Whoever floods gets one moment in forty; an Envoy that was cut by mistake tries again by itself. */
  banMs: 10_000,
} as const;

export type CompleteXdsSettings = Required<XdsSettings>;

export function completeSettings(settings: XdsSettings): CompleteXdsSettings {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...xdsDefaults, ...settings, ...Object.fromEntries(given) };
}
