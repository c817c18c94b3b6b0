/**
 * The names of a request. Proxies with the same view ask for the same names in the same bytes, and in the
 * state of the world they repeat them in every acknowledgement; so the bytes are decoded once, and what
 * follows from the names is kept by the identity of their set.
 */
import { atOnce, type InParts, inParts, type Resumable } from '../base/in-parts.js';
import { nameListsBytesMax, namesPerPart } from './limits.js';
import { FieldReader } from './wire.js';

/** A list of names as a request has it, taken apart. */
export interface NamedList {
  /** The names in their order, without the wildcard and the empty name. Never changed. */
  readonly names: ReadonlySet<string>;
  readonly hasWildcard: boolean;
  /** Nothing at all was named. */
  readonly isEmpty: boolean;
}

const wildcardName = '*';

export const noNames: ReadonlySet<string> = new Set();
const emptyList: NamedList = { names: noNames, hasWildcard: false, isEmpty: true };

export function namedList(names: readonly string[]): NamedList {
  return names.length === 0 ? emptyList : listOf(new Set(names));
}

/** The list of `distinct`, which is its own from now on and holds at least one name. */
function listOf(distinct: Set<string>): NamedList {
  const hasWildcard = distinct.delete(wildcardName);
  // Some clients unsubscribe from everything by naming the empty name.
  distinct.delete('');
  return { names: distinct.size === 0 ? noNames : distinct, hasWildcard, isEmpty: false };
}

interface KnownList {
  readonly bytes: Buffer;
  readonly list: NamedList;
}

const known = new Map<string, KnownList>();
let knownBytes = 0;

/** The list that the fields of `bytes` are: elements of one repeated string, with their tags. */
export function decodeNames(bytes: Buffer): NamedList {
  return knownList(bytes) ?? atOnce(new NameDecoder(bytes));
}

/** The same of a list that may be long. */
export function* decodeNamesInParts(bytes: Buffer): InParts<NamedList> {
  return knownList(bytes) ?? (yield* inParts(new NameDecoder(bytes), namesPerPart));
}

function knownList(bytes: Buffer): NamedList | undefined {
  if (bytes.length === 0) {
    return emptyList;
  }
  const key = keyOf(bytes);
  const candidate = known.get(key);
  if (!candidate?.bytes.equals(bytes)) {
    return undefined;
  }
  known.delete(key);
  known.set(key, candidate);
  return candidate.list;
}

/** A unit is a name. */
class NameDecoder implements Resumable<NamedList> {
  private readonly bytes: Buffer;
  private readonly reader: FieldReader;
  private readonly names = new Set<string>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.reader = new FieldReader(bytes);
  }

  goOn(units: number): boolean {
    const { bytes, reader, names } = this;
    for (let left = units; left > 0; left -= 1) {
      if (!reader.next()) {
        return true;
      }
      names.add(bytes.toString('utf8', reader.start, reader.end));
    }
    return false;
  }

  result(): NamedList {
    const { bytes, names } = this;
    const list = listOf(names);
    remember(keyOf(bytes), { bytes: Buffer.from(bytes), list });
    return list;
  }
}

function remember(key: string, entry: KnownList): void {
  forget(key);
  known.set(key, entry);
  knownBytes += entry.bytes.length;
  for (const oldest of known.keys()) {
    if (knownBytes <= nameListsBytesMax) {
      break;
    }
    forget(oldest);
  }
}

function forget(key: string): void {
  knownBytes -= known.get(key)?.bytes.length ?? 0;
  known.delete(key);
}

const samples = 32;

/** Tells lists apart well enough; whether two are the same is decided by their bytes. */
function keyOf(bytes: Buffer): string {
  const step = Math.max(1, Math.floor(bytes.length / samples));
  let hash = 0;
  for (let at = bytes.length - 1; at >= 0; at -= step) {
    hash = (hash * 31 + bytes.readUInt8(at)) | 0;
  }
  return `${bytes.length} ${hash}`;
}
