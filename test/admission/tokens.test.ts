/** Tokens of proxies: what is signed counts, and nothing else does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  issueToken,
  parseKeys,
  parseRevoked,
  readToken,
  type TokenClaims,
} from '../../controller/admission/tokens.js';

const tokens = suite('admission: tokens');

const key = 'k'.repeat(32);
const claims: TokenClaims = {
  id: 'a1',
  node: 'mesh/shop/virtualNode/cart',
  issuedAtS: 1_000,
  expiresAtS: 2_000,
};
const token = issueToken(claims, key);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

tokens('what was signed is read, by any of the keys', () => {
  assert.equal(readToken(token, [key]), claims);
  assert.equal(readToken(token, ['n'.repeat(32), key]), claims);
  assert.is(readToken(token, ['n'.repeat(32)]), undefined);
  assert.is(readToken(token, []), undefined);
});

tokens('a token whose text was changed anywhere is nobody', () => {
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'A' ? 'B' : 'A';
    const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
    // The last letter of base64 has bits that mean nothing.
    if (at < token.length - 1) {
      assert.is(readToken(changed, [key]), undefined, `changed at ${at}`);
    }
  }
});

tokens('no token chooses how it is checked', () => {
  const [, payload] = token.split('.');
  for (const alg of ['none', 'None', 'HS384', 'RS256']) {
    const head = encode({ alg, typ: 'JWT' });
    assert.is(readToken(`${head}.${payload}.`, [key]), undefined);
  }
});

tokens('what is no token is nobody, and throws nothing', () => {
  for (const text of ['', '.', '..', '...', `${token}.`, `${token}${'x'.repeat(3000)}`, 'Bearer']) {
    assert.is(readToken(text, [key]), undefined);
  }
});

tokens('keys are lines, long enough', () => {
  assert.equal(parseKeys(`# new\n${key}\n\n${'o'.repeat(40)} # old\n`), [key, 'o'.repeat(40)]);
  assert.match((parseKeys('# none\n') as { fault: string }).fault, /no key.*openssl rand/);
  assert.match((parseKeys('short\n') as { fault: string }).fault, /key 1 is shorter than 32/);
});

tokens('revoked ids are lines', () => {
  assert.equal([...parseRevoked('a1 # lost laptop\n\n# b2\nc3\n')], ['a1', 'c3']);
});

tokens.run();
