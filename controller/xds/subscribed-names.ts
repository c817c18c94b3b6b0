/**
 * The names that a stream has subscribed to: the list of a request, which streams share, and what single
 * requests have added to it and taken away since.
 */
import { noNames } from './named-list.js';

/** Below this many changes, and below an eighth of the list, the list stays the shared one. */
const changesMin = 64;
const changesShare = 1 / 8;

export class SubscribedNames {
  private shared: ReadonlySet<string> = noNames;
  /** By name whether it was added or taken away. */
  private readonly changes = new Map<string, boolean>();
  private added = 0;

  get size(): number {
    return this.shared.size + 2 * this.added - this.changes.size;
  }

  /** What the names are but for the changes: a set that never changes, which other streams may have too. */
  get list(): ReadonlySet<string> {
    return this.shared;
  }

  /** How many names were added to the list or taken away. */
  get changeCount(): number {
    return this.changes.size;
  }

  /** The names as one set that never changes; undefined where that would have to be made first. */
  get whole(): ReadonlySet<string> | undefined {
    return this.changes.size === 0 ? this.shared : undefined;
  }

  has(name: string): boolean {
    return this.changes.get(name) ?? this.shared.has(name);
  }

  *[Symbol.iterator](): Generator<string> {
    for (const name of this.shared) {
      if (!this.changes.has(name)) {
        yield name;
      }
    }
    for (const [name, isAdded] of this.changes) {
      if (isAdded) {
        yield name;
      }
    }
  }

  /** `names` is never to change, and is what holds from now on. */
  replace(names: ReadonlySet<string>): void {
    this.shared = names;
    this.changes.clear();
    this.added = 0;
  }

  /** As `add` for each of `names`, which is never to change. */
  addAll(names: ReadonlySet<string>): void {
    if (this.size === 0) {
      this.replace(names);
      return;
    }
    for (const name of names) {
      if (!this.has(name)) {
        this.change(name, true);
      }
    }
  }

  /** False where it was not there. */
  delete(name: string): boolean {
    const isThere = this.has(name);
    if (isThere) {
      this.change(name, false);
    }
    return isThere;
  }

  private change(name: string, isAdded: boolean): void {
    if (this.changes.get(name) !== undefined) {
      this.added -= Number(this.changes.get(name));
      this.changes.delete(name);
    }
    if (this.shared.has(name) !== isAdded) {
      this.changes.set(name, isAdded);
      this.added += Number(isAdded);
    }
    if (this.changes.size > Math.max(changesMin, this.shared.size * changesShare)) {
      this.replace(new Set(this));
    }
  }
}
