/** What operators count on the xDS port: responses, bytes, open streams, the size of what is served. */
import { type ResourceSet, type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { DiscoveryStream } from './discovery-stream.js';

/** Responses sent of one type, or the bytes of them. */
export type SentFigure = readonly [
  { readonly type: ResourceType; readonly of: 'pushes' | 'bytes' },
  number,
];

export class Figures {
  private readonly pushes = new Map<ResourceType, number>(resourceTypes.map((type) => [type, 0]));
  private readonly bytes = new Map<ResourceType, number>(resourceTypes.map((type) => [type, 0]));

  /** A response of `bytes` bytes goes out. */
  sent(type: ResourceType, bytes: number): void {
    this.pushes.set(type, (this.pushes.get(type) ?? 0) + 1);
    this.bytes.set(type, (this.bytes.get(type) ?? 0) + bytes);
  }

  /** Since the start, every type with its two numbers. */
  list(): readonly SentFigure[] {
    return resourceTypes.flatMap((type) => [
      [{ type, of: 'pushes' }, this.pushes.get(type) ?? 0] as const,
      [{ type, of: 'bytes' }, this.bytes.get(type) ?? 0] as const,
    ]);
  }
}

/** As people name the services; load reports are `lrs`, Envoys' statistics `metrics`. */
export type StreamService = 'ads' | 'cds' | 'eds' | 'lds' | 'rds' | 'sds' | 'lrs' | 'metrics';

const serviceOf: Readonly<Record<ResourceType, StreamService>> = {
  cluster: 'cds',
  endpoint: 'eds',
  listener: 'lds',
  route: 'rds',
  secret: 'sds',
};

interface Streams {
  readonly streams: Iterable<Pick<DiscoveryStream, 'service' | 'state'>>;
  readonly loadReports: { readonly size: number };
  readonly metrics: { readonly size: number };
}

/** How many streams of each service are open. */
export function countStreams(hub: Streams): ReadonlyMap<StreamService, number> {
  const counts = new Map<StreamService, number>([
    ['ads', 0],
    ...Object.values(serviceOf).map((service) => [service, 0] as const),
    ['lrs', hub.loadReports.size],
    ['metrics', hub.metrics.size],
  ]);
  for (const { service } of hub.streams) {
    const [type] = service.types;
    const name = service.isAggregated || type === undefined ? 'ads' : serviceOf[type];
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Bytes of the largest set of each type among all that streams are served. */
export function largestSets(hub: Streams): ReadonlyMap<ResourceType, number> {
  const largest = new Map<ResourceType, number>(resourceTypes.map((type) => [type, 0]));
  for (const { state } of hub.streams) {
    for (const type of resourceTypes) {
      const set = state.snapshot?.[type];
      if (set !== undefined) {
        largest.set(type, Math.max(largest.get(type) ?? 0, bytesOf(set)));
      }
    }
  }
  return largest;
}

/** Sets are shared by proxies and by publications, and never change. */
const knownBytes = new WeakMap<ResourceSet, number>();

function bytesOf(set: ResourceSet): number {
  const known = knownBytes.get(set);
  if (known !== undefined) {
    return known;
  }
  let bytes = 0;
  for (const { any } of set.byName.values()) {
    bytes += any.length;
  }
  knownBytes.set(set, bytes);
  return bytes;
}
