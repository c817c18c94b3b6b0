/**
 * The file of static tokens: a role, a name and a token on each line. A token stands there as its SHA-256,
 * so that who reads the file cannot use it; one that stands there as it is works too, for a container's
 * secret that nobody sees anyway.
 *
 *   operator ann sha256:5d41…
 *   viewer   wall-screen sha256:7c9f…
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { OpError } from '../base/op-error.js';
import type { Role } from './role.js';

export interface Token {
  readonly role: Role;
  /** Who it belongs to, as the history says it. */
  readonly name: string;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
}

const linePattern = /^(viewer|operator)\s+([A-Za-z0-9][\w.@+-]{0,99})\s+(\S+)$/;
const hashPattern = /^sha256:([0-9a-f]{64})$/;

/** Shorter ones can be guessed at ten tries a second within years. */
const charactersMin = 16;

/**
 * The tokens of `text`, the content of the file `path`. Lines that are empty or begin with # are left out.
 * @throws OpError `tokens-invalid` (stalled) with the line's number, never with what stands there.
 */
export function parseTokens(path: string, text: string): readonly Token[] {
  const tokens = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === '' || trimmed.startsWith('#') ? [] : [parseLine(path, index + 1, trimmed)];
  });
  if (tokens.length === 0) {
    throw invalid(path, 'it has no token; make one with `headgate token`');
  }
  return tokens;
}

function parseLine(path: string, number: number, line: string): Token {
  const [, role, name = '', secret = ''] = linePattern.exec(line) ?? [];
  if (role !== 'viewer' && role !== 'operator') {
    throw invalid(path, `line ${number} is not ROLE NAME TOKEN, with the role viewer or operator`);
  }
  const [, hash] = hashPattern.exec(secret) ?? [];
  if (hash === undefined && (secret.startsWith('sha256:') || secret.length < charactersMin)) {
    const expected = `sha256: and 64 hex digits, or a token of at least ${charactersMin} characters`;
    throw invalid(path, `the token of line ${number} is not ${expected}`);
  }
  return { role, name, hash: hash ?? hashOf(secret) };
}

function invalid(path: string, why: string): OpError {
  const retry = { kind: 'stalled' } as const;
  return new OpError('tokens-invalid', `the tokens in ${path} cannot be used: ${why}`, { retry });
}

/** The token of that secret; takes as long for a near miss as for any other. */
export function findToken(tokens: readonly Token[], secret: string): Token | undefined {
  const hash = Buffer.from(hashOf(secret));
  return tokens.filter((token) => timingSafeEqual(Buffer.from(token.hash), hash))[0];
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A new token: 256 random bits, with a prefix by which scanners of secrets know it. */
export function makeSecret(): string {
  return `hg_${randomBytes(32).toString('base64url')}`;
}
