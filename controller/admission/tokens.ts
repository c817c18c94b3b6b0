/**
 * Tokens of proxies: a JSON Web Token (RFC 7519) signed with HMAC-SHA-256, which says who it is, which node
 * ids it may be and until when. The header is always the same text and compared as such, so no token can
 * choose how it is checked. Keys are lines of a file: the first signs, all are accepted.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token says. Times are seconds since 1970, as the RFC has them. */
export interface TokenClaims {
  /** By which it is revoked; shown in logs. */
  readonly id: string;
  /** A node id, in which `*` stands for one segment; `operator`: no node, all states. */
  readonly node: string;
  readonly issuedAtS: number;
  readonly expiresAtS: number;
}

const header = encode({ alg: 'HS256', typ: 'JWT' });
const audience = 'headgate-xds';

/** A key shorter than the hash is weaker than the hash. */
export const keyCharactersMin = 32;

/** Far more than any token has: what is longer is not even hashed. */
const tokenCharactersMax = 2048;

export function newTokenId(): string {
  return randomBytes(6).toString('hex');
}

export function issueToken(claims: TokenClaims, key: string): string {
  const { id, node, issuedAtS, expiresAtS } = claims;
  const payload = encode({ aud: audience, jti: id, sub: node, iat: issuedAtS, exp: expiresAtS });
  return `${header}.${payload}.${sign(`${header}.${payload}`, key).toString('base64url')}`;
}

/** The claims of a token that one of `keys` has signed, expired or not; undefined: nobody's token. */
export function readToken(token: string, keys: readonly string[]): TokenClaims | undefined {
  const [head, payload, signature, ...more] = token.split('.');
  if (token.length > tokenCharactersMax || head !== header || more.length > 0) {
    return undefined;
  }
  const given = Buffer.from(signature ?? '', 'base64url');
  // All keys are tried, so that the time tells nothing of which one was near.
  const isSigned = keys.filter((key) => isSame(sign(`${head}.${payload}`, key), given)).length > 0;
  return isSigned ? claimsOf(payload ?? '') : undefined;
}

/** The keys in `text`, the content of the file `path`; what is wrong with it instead. */
export function parseKeys(text: string): readonly string[] | { readonly fault: string } {
  const keys = linesOf(text);
  if (keys.length === 0) {
    return { fault: 'it has no key; make one with `openssl rand -hex 32`' };
  }
  const short = keys.findIndex((key) => key.length < keyCharactersMin);
  return short === -1
    ? keys
    : { fault: `key ${short + 1} is shorter than ${keyCharactersMin} characters` };
}

/** The ids of a revocation list. */
export function parseRevoked(text: string): ReadonlySet<string> {
  return new Set(linesOf(text));
}

/** Lines without comments and white space. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

function claimsOf(payload: string): TokenClaims | undefined {
  let claims: Readonly<Record<string, unknown>>;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const { aud, jti, sub, iat, exp } = claims;
  return aud === audience &&
    typeof jti === 'string' &&
    typeof sub === 'string' &&
    typeof iat === 'number' &&
    typeof exp === 'number'
    ? { id: jti, node: sub, issuedAtS: iat, expiresAtS: exp }
    : undefined;
}

function sign(text: string, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function isSame(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
