/**
 * How much memory the names take that all streams together have asked for. A list that streams share counts
 * once, however many have it; what a stream has added to its list since then, and taken away, is its own.
 */
import type { TypedRequest } from './stream.js';
import type { SubscribedNames } from './subscribed-names.js';
import type { TypeState } from './type-state.js';

/**
 * What is counted for a name beside its characters, in bytes: its string, its place in the set, and while it is
 * being answered its places among what was asked for and what is on its way. Twice what stays in the heap, which
 * is 60 to 100 with 50,000 names on each of 20 streams, since making them leaves as much garbage.
 */
const bytesPerName = 200;

/** A change of one name of a list, whose characters are not counted one by one. */
const bytesPerChange = bytesPerName + 50;

interface SharedList {
  users: number;
  readonly bytes: number;
}

interface Held {
  readonly list: ReadonlySet<string>;
  readonly changes: number;
}

export class HeldNames {
  private readonly bytesMax: number;
  private readonly lists = new Map<ReadonlySet<string>, SharedList>();
  private readonly held = new Map<SubscribedNames, Held>();
  private heldBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /**
   * Why a request asks for more than there is room for; undefined where it does not. `state` is what the
   * stream has of its type.
   */
  excess(request: TypedRequest, state: TypeState | undefined): string | undefined {
    const { names } = request.kind === 'sotw' ? request.resourceNames : request.subscribe;
    const replaced = request.kind === 'sotw' ? (state?.subscription.names.size ?? 0) : 0;
    const isNone = names.size <= replaced || this.lists.has(names);
    return isNone || this.heldBytes + bytesOf(names) <= this.bytesMax
      ? undefined
      : `the names that all proxies have asked for take ${Math.floor(this.bytesMax / 2 ** 20)} MiB, and may take no more`;
  }

  /** Call it whenever `names`, which are those of one type on one stream, may have changed. */
  note(names: SubscribedNames): void {
    const before = this.held.get(names);
    const { list, changeCount } = names;
    if (before?.list === list && before.changes === changeCount) {
      return;
    }
    // First in, so that what stays is not counted anew.
    this.take(list);
    this.heldBytes += changeCount * bytesPerChange;
    this.drop(names);
    this.held.set(names, { list, changes: changeCount });
  }

  /** The stream is over. */
  drop(names: SubscribedNames): void {
    const held = this.held.get(names);
    if (held !== undefined) {
      this.held.delete(names);
      this.heldBytes -= held.changes * bytesPerChange;
      this.leave(held.list);
    }
  }

  private take(list: ReadonlySet<string>): void {
    const known = this.lists.get(list) ?? { users: 0, bytes: bytesOf(list) };
    if (known.users === 0) {
      this.lists.set(list, known);
      this.heldBytes += known.bytes;
    }
    known.users += 1;
  }

  private leave(list: ReadonlySet<string>): void {
    const known = this.lists.get(list);
    if (known !== undefined) {
      known.users -= 1;
      if (known.users === 0) {
        this.lists.delete(list);
        this.heldBytes -= known.bytes;
      }
    }
  }
}

function bytesOf(names: ReadonlySet<string>): number {
  let characters = 0;
  for (const name of names) {
    characters += name.length;
  }
  return characters + names.size * bytesPerName;
}
