/**
 * A raw commit object (git-commit-tree(1), the format of `git cat-file commit`) → its parents, author,
 * time and message. Everything in it was chosen by whoever made the commit: it is for show only.
 */
import { TextDecoder } from 'node:util';

export interface Commit {
  readonly parents: readonly string[];
  /** `Name <address>`. */
  readonly author: string;
  /** Milliseconds since 1970; 0 where the commit has no time that a date can hold. */
  readonly committedAtMs: number;
  readonly message: string;
}

/** A longer message is a mistake or an attack; it would be stored and shown for ever. */
const messageBytesMax = 64 * 1024;

/** Bytes of a commit object that are worth reading: headers, signatures and the longest message. */
export const commitBytesMax = 2 * messageBytesMax;

/** The largest time that `Date` can show. */
const dateMsMax = 8.64e15;

export function parseCommit(bytes: Uint8Array): Commit {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = raw.indexOf('\n\n');
  const headerBytes = end < 0 ? raw : raw.subarray(0, end);
  const messageBytes = end < 0 ? raw.subarray(raw.length) : raw.subarray(end + 2);
  const decoder = decoderFor(headerBytes);
  const headers = decoder.decode(headerBytes).split('\n');
  const [, author] = /^(.*?>)/.exec(header(headers, 'author')) ?? [];
  const [, seconds] = /> (\d+)/.exec(header(headers, 'committer')) ?? [];
  const committedAtMs = Number(seconds ?? 0) * 1000;
  return {
    parents: headers.flatMap((line) => /^parent (\S+)$/.exec(line)?.[1] ?? []),
    author: author ?? '',
    committedAtMs: committedAtMs <= dateMsMax ? committedAtMs : 0,
    // As a stream, so that a character which the cut divides is left out instead of mangled.
    message: decoder.decode(messageBytes.subarray(0, messageBytesMax), { stream: true }).trimEnd(),
  };
}

function header(headers: readonly string[], name: string): string {
  const line = headers.find((candidate) => candidate.startsWith(`${name} `));
  return line?.slice(name.length + 1) ?? '';
}

/** UTF-8, or the encoding that the commit names and that this machine knows. */
function decoderFor(headerBytes: Buffer): TextDecoder {
  const [, name] = /^encoding (\S+)$/m.exec(headerBytes.toString('latin1')) ?? [];
  try {
    return new TextDecoder(name ?? 'utf-8');
  } catch {
    return new TextDecoder('utf-8');
  }
}
