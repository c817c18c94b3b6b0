/**
 * Output of `git ls-tree -z --long` and `git cat-file --batch` → entries and objects, piece by piece
 * as it arrives. Names are bytes until they are known to be text, and content is checked against its
 * object id: git itself does not notice every flipped bit of a pack that it reads.
 */
import { createHash, type Hash } from 'node:crypto';
import { OpError } from '../base/op-error.js';

export interface TreeLine {
  readonly mode: string;
  readonly objectId: string;
  /** Bytes of the blob; 0 for a submodule, which has no content here. */
  readonly sizeBytes: number;
  readonly name: Uint8Array;
}

/** The entries of a listing. @throws OpError `cache-corrupt` on anything else than one. */
export async function* parseTreeLines(output: AsyncIterable<Uint8Array>): AsyncGenerator<TreeLine> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of output) {
    let pending = Buffer.concat([rest, chunk]);
    for (let end = pending.indexOf(0); end >= 0; end = pending.indexOf(0)) {
      yield parseTreeLine(pending.subarray(0, end));
      pending = pending.subarray(end + 1);
    }
    rest = pending;
  }
  if (rest.length > 0) {
    throw cacheCorrupt('a tree listing ends in the middle of an entry');
  }
}

/** `<mode> SP <type> SP <id> SP+ <size or -> TAB <name>`. */
function parseTreeLine(line: Buffer): TreeLine {
  const tab = line.indexOf('\t');
  const [mode, , objectId, size] = line.subarray(0, tab).toString('latin1').split(/ +/);
  if (tab < 0 || mode === undefined || objectId === undefined || !/^(\d+|-)$/.test(size ?? '')) {
    throw cacheCorrupt('a tree listing has an entry that is none');
  }
  return {
    mode,
    objectId,
    sizeBytes: size === '-' ? 0 : Number(size),
    name: line.subarray(tab + 1),
  };
}

export interface GitObject {
  readonly type: string;
  readonly sizeBytes: number;
  /** The content, or its first `keepBytesMax` bytes. */
  readonly bytes: Buffer;
}

/** Reads the answers to `cat-file --batch` one by one, in the order of the requests. */
export class BatchReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(output: AsyncIterable<Buffer>) {
    this.#chunks = output[Symbol.asyncIterator]();
  }

  /**
   * The next object, of which at most `keepBytesMax` bytes are kept in memory.
   * @throws OpError `cache-corrupt` where it is missing, or its content does not hash to `objectId`.
   */
  async read(objectId: string, keepBytesMax: number): Promise<GitObject> {
    const header = await this.#line();
    const [, id, type = '', size = ''] = /^(\S+) (\S+) (\d+)$/.exec(header) ?? [];
    if (id !== objectId) {
      throw cacheCorrupt(`object ${objectId} cannot be read: ${header.slice(0, 100)}`);
    }
    const hash = createHash(objectId.length === 64 ? 'sha256' : 'sha1').update(`${type} ${size}\0`);
    const bytes = await this.#content(Number(size), keepBytesMax, hash);
    if (hash.digest('hex') !== objectId) {
      throw cacheCorrupt(`the content of object ${objectId} is not what its id says`);
    }
    return { type, sizeBytes: Number(size), bytes };
  }

  async #line(): Promise<string> {
    let end = this.#pending.indexOf('\n');
    while (end < 0) {
      this.#pending = Buffer.concat([this.#pending, await this.#next()]);
      end = this.#pending.indexOf('\n');
    }
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 1);
    return line;
  }

  /** Content of `sizeBytes` and the line feed after it. */
  async #content(sizeBytes: number, keepBytesMax: number, hash: Hash): Promise<Buffer> {
    const kept: Buffer[] = [];
    let leftBytes = sizeBytes;
    let keepBytes = Math.min(sizeBytes, keepBytesMax);
    while (leftBytes > 0) {
      const piece = this.#pending.length > 0 ? this.#pending : await this.#next();
      const part = piece.subarray(0, leftBytes);
      hash.update(part);
      kept.push(part.subarray(0, keepBytes));
      keepBytes -= Math.min(keepBytes, part.length);
      leftBytes -= part.length;
      this.#pending = piece.subarray(part.length);
    }
    if ((await this.#line()) !== '') {
      throw cacheCorrupt('an object is longer than its header says');
    }
    return Buffer.concat(kept);
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next();
    if (done) {
      throw cacheCorrupt('git ended before it had given every object');
    }
    return value;
  }
}

/** The cache is not what git wrote; it has to be thrown away. */
export function cacheCorrupt(message: string): OpError {
  return new OpError('cache-corrupt', message);
}
