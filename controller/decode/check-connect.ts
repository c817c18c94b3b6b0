/**
 * Routes of the method CONNECT. Such a request names a host and nothing else (RFC 9110, 9.3.6): it has no
 * path, no query and no scheme that a route could match or rewrite, so that Envoy would never take it.
 */
import type { FieldPath } from '../mesh/document.js';
import type { Finding } from './finding.js';

interface WrittenMatch {
  readonly method?: string;
  readonly prefix?: string;
  readonly path?: object;
  readonly queryParameters?: readonly object[];
  readonly scheme?: string;
}

interface WrittenRewrite {
  readonly prefix?: { readonly value?: string };
  readonly path?: object;
}

/** `path` leads to the route; `subject` begins the text of each finding. */
export function checkConnect(
  subject: string,
  match: WrittenMatch,
  path: FieldPath,
  rewrite: WrittenRewrite = {},
): readonly Finding[] {
  if (match.method !== 'CONNECT') {
    return [];
  }
  const wrong: readonly (readonly [string, FieldPath, boolean])[] = [
    ['match.prefix other than /', ['match', 'prefix'], (match.prefix ?? '/') !== '/'],
    ['match.path', ['match', 'path'], match.path !== undefined],
    ['match.queryParameters', ['match', 'queryParameters'], match.queryParameters !== undefined],
    ['match.scheme', ['match', 'scheme'], match.scheme !== undefined],
    [
      'rewrite.prefix.value',
      ['action', 'rewrite', 'prefix', 'value'],
      (rewrite.prefix?.value ?? '/') !== '/',
    ],
    ['rewrite.path', ['action', 'rewrite', 'path'], rewrite.path !== undefined],
  ];
  return wrong
    .filter(([, , isWrong]) => isWrong)
    .map(([what, where]) => ({
      code: 'HG0520',
      path: [...path, ...where],
      place: 'key',
      text:
        `${subject}a CONNECT request has a host and port and nothing else, so ${what} cannot be ` +
        'met; use prefix: / alone, or another method',
      details: { found: what, allowed: 'prefix: /' },
    }));
}
