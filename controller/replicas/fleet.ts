/**
 * The proxies of all replicas as one fleet. A proxy that moved may still look connected where it was, so
 * one that is on several replicas counts where it connected last.
 */
import type { ProxyId } from '../base/brand.js';
import type { LoopEvent } from '../loop/events.js';
import type { ProxyStatus } from '../loop/ports.js';

interface Place {
  readonly replica: string;
  readonly proxy: ProxyStatus;
}

export class Fleet {
  /** By instance, in no order. */
  private readonly places = new Map<string, readonly Place[]>();
  /** Instances by replica and proxy id. */
  private readonly instanceOf = new Map<string, string>();

  /** `proxy` is connected to `replica`; what follows for the fleet. */
  set(replica: string, proxy: ProxyStatus): readonly LoopEvent[] {
    const { instance } = proxy.identity;
    this.instanceOf.set(keyOf(replica, proxy.id), instance);
    return this.change(instance, true, (places) => [
      ...places.filter((place) => !isAt(place, replica, proxy.id)),
      { replica, proxy },
    ]);
  }

  remove(replica: string, id: ProxyId, clean: boolean): readonly LoopEvent[] {
    const key = keyOf(replica, id);
    const instance = this.instanceOf.get(key);
    this.instanceOf.delete(key);
    return instance === undefined
      ? []
      : this.change(instance, clean, (places) =>
          places.filter((place) => !isAt(place, replica, id)),
        );
  }

  /** Nobody hears of `replica` any more; its proxies said no goodbye. */
  removeReplica(replica: string): readonly LoopEvent[] {
    return this.idsOf(replica).flatMap((id) => this.remove(replica, id, false));
  }

  idsOf(replica: string): readonly ProxyId[] {
    return [...this.places.values()]
      .flat()
      .filter((place) => place.replica === replica)
      .map(({ proxy }) => proxy.id);
  }

  /** Those that count, of every replica but `replica`. */
  besides(replica: string): readonly ProxyStatus[] {
    return [...this.places.values()].flatMap((places) =>
      counting(places)
        .filter((place) => place.replica !== replica)
        .map(({ proxy }) => proxy),
    );
  }

  private change(
    instance: string,
    clean: boolean,
    move: (places: readonly Place[]) => readonly Place[],
  ): readonly LoopEvent[] {
    const before = this.places.get(instance) ?? [];
    const after = move(before);
    if (after.length === 0) {
      this.places.delete(instance);
    } else {
      this.places.set(instance, after);
    }
    return eventsBetween(counting(before), counting(after), clean);
  }
}

function keyOf(replica: string, id: string): string {
  return JSON.stringify([replica, id]);
}

function isAt(place: Place, replica: string, id: string): boolean {
  return place.replica === replica && place.proxy.id === id;
}

/** All streams on the replica to which the proxy connected last. */
function counting(places: readonly Place[]): readonly Place[] {
  const [newest] = [...places].sort(
    (left, right) =>
      right.proxy.connectedAtMs - left.proxy.connectedAtMs ||
      (left.replica < right.replica ? -1 : 1),
  );
  return places.filter(({ replica }) => replica === newest?.replica);
}

/** Who comes is told before who goes: an instance that only moved was never away. */
function eventsBetween(
  before: readonly Place[],
  after: readonly Place[],
  clean: boolean,
): readonly LoopEvent[] {
  const known = new Map(before.map(({ proxy }) => [proxy.id, proxy]));
  const left = new Set(after.map(({ proxy }) => proxy.id));
  const come = after
    .filter(({ proxy }) => known.get(proxy.id) !== proxy)
    .map(({ proxy }): LoopEvent => {
      const kind = known.has(proxy.id) ? 'proxyAcked' : 'proxyConnected';
      return { kind, proxy };
    });
  const gone = before
    .filter(({ proxy }) => !left.has(proxy.id))
    .map(({ proxy }): LoopEvent => ({ kind: 'proxyDisconnected', id: proxy.id, clean }));
  return [...come, ...gone];
}
