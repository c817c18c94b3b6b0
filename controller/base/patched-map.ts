/**
 * A large map with other values under a few of its keys. It shares the map that it was made from, so that it
 * costs what is different, in time and in memory.
 */

export class PatchedMap<K, V extends {}> implements ReadonlyMap<K, V> {
  readonly size: number;
  private readonly base: ReadonlyMap<K, V>;
  private readonly patch: ReadonlyMap<K, V>;

  /** Every key of `patch` must be one of `base`; neither may change any more. */
  constructor(base: ReadonlyMap<K, V>, patch: ReadonlyMap<K, V>) {
    this.base = base;
    this.patch = patch;
    this.size = base.size;
  }

  get(key: K): V | undefined {
    return this.patch.get(key) ?? this.base.get(key);
  }

  has(key: K): boolean {
    return this.base.has(key);
  }

  /** In the order of the map that this one was made from. */
  *entries(): MapIterator<[K, V]> {
    for (const [key, value] of this.base) {
      yield [key, this.patch.get(key) ?? value];
    }
  }

  keys(): MapIterator<K> {
    return this.base.keys();
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) {
      yield value;
    }
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(call: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) {
      call(value, key, this);
    }
  }
}
