/**
 * Two ways of not doing work again. What is made from model objects is kept for as long as those objects
 * live, by their identity: a resource that a commit or a rollout's step did not touch is the same object
 * and is neither translated nor encoded again. What has the same content is made the same object, so
 * that the cache which sends it compares by identity.
 */

/** Returns what `make` made before from the same objects (in order) and text, or makes it. */
export type IdentityMemo<T> = (objects: readonly object[], text: string, make: () => T) => T;

/**
 * Distinct texts that are kept for the same objects. Proxies choose their addresses themselves, which end
 * up in texts, so their number has to end somewhere; beyond it all are forgotten and made again.
 */
const textsKeptMax = 10_000;

interface MemoNode<T> {
  readonly next: WeakMap<object, MemoNode<T>>;
  readonly made: Map<string, T>;
}

export function identityMemo<T>(): IdentityMemo<T> {
  const root: MemoNode<T> = { next: new WeakMap(), made: new Map() };
  return (objects, text, make) => {
    let node = root;
    for (const object of objects) {
      let next = node.next.get(object);
      if (next === undefined) {
        next = { next: new WeakMap(), made: new Map() };
        node.next.set(object, next);
      }
      node = next;
    }
    let value = node.made.get(text);
    if (value === undefined) {
      value = make();
      if (node.made.size >= textsKeptMax) {
        node.made.clear();
      }
      node.made.set(text, value);
    }
    return value;
  };
}

/** Returns the living value that was made under `key` before, else makes and keeps one. */
export type Interner<T> = (key: string, make: () => T) => T;

/** `key` must tell contents apart. Values are held weakly: what nobody serves any more is let go. */
export function contentInterner<T extends object>(): Interner<T> {
  const living = new Map<string, WeakRef<T>>();
  const collected = new FinalizationRegistry<string>((key) => {
    if (living.get(key)?.deref() === undefined) {
      living.delete(key);
    }
  });
  return (key, make) => {
    const known = living.get(key)?.deref();
    if (known !== undefined) {
      return known;
    }
    const value = make();
    living.set(key, new WeakRef(value));
    collected.register(value, key);
    return value;
  };
}
