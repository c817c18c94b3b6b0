/**
 * Resources that are put together from parts which are encoded each by itself: the routes of ten thousand
 * services in one message. Where one part changes, the bytes of the others are copied in one piece, and
 * the version is a hash of the parts' hashes, so the rest is neither encoded nor hashed again.
 */
import { contentHash, shortHash } from '../base/hash.js';
import { memo } from '../base/memo.js';
import { compareText } from '../base/problem.js';
import { anyHeader, fieldHeader } from './encode.js';
import type { PatchedList } from './patched-list.js';
import { resourceOfParts } from './resource.js';
import {
  type EncodedResource,
  protoTypeOf,
  type ResourceReference,
  type ResourceType,
} from './snapshot.js';

/** A part of a message: some of its fields. */
export interface EncodedPart {
  readonly bytes: Uint8Array;
  /** Of `bytes`. */
  readonly hash: string;
}

/** Bytes that are put together no earlier than they are needed, and a hash of what they are made of. */
export interface Pieces {
  readonly hash: string;
  /** One after another. */
  readonly bytes: () => readonly Uint8Array[];
}

export function encodedPart(bytes: Uint8Array): EncodedPart {
  return { bytes, hash: hashOf(bytes) };
}

/** Enough to tell apart what all meshes ever hold, in half of the digits. */
function hashOf(content: string | Uint8Array): string {
  return contentHash(content).slice(0, 32);
}

export function onePiece({ bytes, hash }: EncodedPart): Pieces {
  return { hash, bytes: () => [bytes] };
}

export function joinPieces(list: readonly Pieces[]): Pieces {
  return {
    hash: hashOf(list.map(({ hash }) => hash).join('')),
    bytes: () => list.flatMap(({ bytes }) => bytes()),
  };
}

/** A field whose value is the message of `pieces`. */
export function fieldOf(fieldNumber: number, pieces: Pieces): Pieces {
  return {
    hash: hashOf(`${fieldNumber} ${pieces.hash}`),
    bytes: () => {
      const list = pieces.bytes();
      return [fieldHeader(fieldNumber, sizeOf(list)), ...list];
    },
  };
}

/** The resource whose message is `pieces`, which are not empty. */
export function resourceOfPieces(
  type: ResourceType,
  name: string,
  pieces: Pieces,
  references: readonly ResourceReference[],
): EncodedResource {
  return resourceOfParts({
    name,
    version: shortHash(`${type} ${pieces.hash}`),
    references,
    encode: () => {
      const list = pieces.bytes();
      return Buffer.concat([anyHeader(protoTypeOf[type], sizeOf(list)), ...list]);
    },
  });
}

function sizeOf(list: readonly Uint8Array[]): number {
  return list.reduce((sum, { length }) => sum + length, 0);
}

/** All of `list`, in as few pieces as can be had without copying. */
export const listPieces = memo(
  (list: PatchedList<EncodedPart>): Pieces => ({
    hash: hashOf(list.items.map(({ hash }) => hash).join('')),
    bytes: () => bytesOf(list),
  }),
);

function bytesOf({ items, patch }: PatchedList<EncodedPart>): readonly Uint8Array[] {
  if (patch === undefined) {
    return items.map(({ bytes }) => bytes);
  }
  const base = inOnePiece(patch.base);
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (const place of patch.places) {
    pieces.push(base.bytes.subarray(end, base.starts[place]));
    pieces.push((items[place] as EncodedPart).bytes);
    end = base.starts[place + 1] ?? base.bytes.length;
  }
  return [...pieces, base.bytes.subarray(end)];
}

/** The bytes of a list, and where in them each part begins. */
const inOnePiece = memo(({ items }: PatchedList<EncodedPart>) => ({
  bytes: Buffer.concat(items.map(({ bytes }) => bytes)),
  starts: startsOf(items),
}));

function startsOf(parts: readonly EncodedPart[]): readonly number[] {
  let start = 0;
  return parts.map(({ bytes }) => {
    const here = start;
    start += bytes.length;
    return here;
  });
}

/** `names`, sorted and each once, on a line each. */
export function clusterNames(names: readonly string[]): string {
  return [...new Set(names)].sort(compareText).join('\n');
}

/** References to the clusters of all of `lists`, whose elements are texts of `clusterNames`. */
export function clusterReferences(
  lists: readonly (PatchedList<string> | string)[],
): readonly ResourceReference[] {
  const [first = '', ...others] = lists;
  if (others.length === 0 && typeof first !== 'string') {
    return referencesIn(first);
  }
  return referencesTo(lists.flatMap((list) => (typeof list === 'string' ? [list] : list.items)));
}

const referencesIn = memo(({ items }: PatchedList<string>) => referencesTo(items));

function referencesTo(texts: readonly string[]): readonly ResourceReference[] {
  const names = clusterNames(texts.flatMap((text) => (text === '' ? [] : text.split('\n'))));
  return names === '' ? [] : names.split('\n').map((name) => ({ type: 'cluster', name }));
}
