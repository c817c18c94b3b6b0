/**
 * The path's part of joining a gateway route with a route behind it: which paths, as the caller sent
 * them, the gateway route takes and, once it has rewritten them, the other one takes too.
 */
import type { GatewayRoute, HeaderMatch, PathMatch, ValueMatch } from './model.js';
import { escapeRegex } from './strategies.js';

export type PathRewrite =
  /** The prefix that `match.path` has becomes `value`. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** The whole path becomes `value`; the query stays. */
  | { readonly kind: 'whole'; readonly value: string };

/** Paths that get through, as their caller sent them. */
export interface Met {
  readonly path?: PathMatch;
  /** A second condition on the path, where one path condition cannot say it all. */
  readonly header?: HeaderMatch;
  readonly rewrite?: PathRewrite;
}

export interface Refusal {
  /** Goes on from the name of the router's route. */
  readonly reason: string;
}

/**
 * The paths that `gatewayRoute` takes and that, rewritten, meet `wanted`: no path is in two of them, and
 * empty is none at all. `method` is that of the requests, where only one can be.
 */
export function pathsThrough(
  gatewayRoute: GatewayRoute,
  method: string | undefined,
  wanted: PathMatch | undefined,
): readonly Met[] | Refusal {
  const paths: Met[] = [];
  for (const way of waysOf(gatewayRoute, method)) {
    const met = meetOn(way, wanted);
    if (met !== 'never' && 'reason' in met) {
      return met;
    }
    paths.push(...(met === 'never' ? [] : [met]));
  }
  return paths;
}

/** One way in which a path gets through a gateway route. */
type Way =
  | { readonly kind: 'kept'; readonly path: PathMatch | undefined }
  /** Whatever `path` matches becomes `value`. */
  | { readonly kind: 'replaced'; readonly path: PathMatch | undefined; readonly value: string }
  /** `from` and a rest becomes `to` and the rest; both end with a slash. */
  | { readonly kind: 'moved'; readonly from: string; readonly to: string };

/** True where `gatewayRoute` sends on the path that its caller sent. */
export function keepsPath({ match, rewrite }: GatewayRoute): boolean {
  const { path } = match;
  switch (rewrite.path.kind) {
    case 'none':
      return true;
    case 'prefix':
      return path?.kind !== 'prefix' || path.prefix === rewrite.path.value;
    case 'exact':
      return path?.kind === 'exact' && path.exact === rewrite.path.exact;
  }
}

/** A CONNECT request has no path; each other one meets at most one of the ways. */
function waysOf(gatewayRoute: GatewayRoute, method: string | undefined): readonly Way[] {
  const { path } = gatewayRoute.match;
  const rewrite = gatewayRoute.rewrite.path;
  if (method === 'CONNECT' || keepsPath(gatewayRoute)) {
    return [{ kind: 'kept', path }];
  }
  if (rewrite.kind === 'exact') {
    return [{ kind: 'replaced', path, value: rewrite.exact }];
  }
  return rewrite.kind === 'prefix' && path?.kind === 'prefix'
    ? prefixWays(path.prefix, rewrite.value)
    : [];
}

/** `/x` and `/x/…`, each with its own slash: `/xyz` is another path, which App Mesh made `/yz`. */
function prefixWays(prefix: string, value: string): readonly Way[] {
  if (prefix.endsWith('/')) {
    return [{ kind: 'moved', from: prefix, to: value }];
  }
  return [
    { kind: 'replaced', path: { kind: 'exact', exact: prefix }, value },
    { kind: 'moved', from: `${prefix}/`, to: value },
  ];
}

function meetOn(way: Way, wanted: PathMatch | undefined): Met | 'never' | Refusal {
  switch (way.kind) {
    case 'kept':
      return meet(way.path, wanted);
    case 'replaced': {
      if (wanted?.kind === 'regex') {
        return rewrittenRegex;
      }
      const { path, value } = way;
      return isMetBy(value, wanted) ? { path, rewrite: { kind: 'whole', value } } : 'never';
    }
    case 'moved':
      return moveBack(way, wanted);
  }
}

const rewrittenRegex: Refusal = {
  reason:
    'compares the path, which the gateway route rewrites, with a regular expression; use a ' +
    'prefix or an exact path in the router, or keep the path in the gateway route',
};

function isMetBy(path: string, wanted: Exclude<PathMatch, { kind: 'regex' }> | undefined): boolean {
  switch (wanted?.kind) {
    case undefined:
      return true;
    case 'prefix':
      return path.startsWith(wanted.prefix);
    case 'exact':
      return path === wanted.exact;
  }
}

/** Which of the paths `from…` become one, `to…`, that `wanted` matches. */
function moveBack(
  { from, to }: { readonly from: string; readonly to: string },
  wanted: PathMatch | undefined,
): Met | 'never' | Refusal {
  if (wanted?.kind === 'regex') {
    return rewrittenRegex;
  }
  if (wanted === undefined || (wanted.kind === 'prefix' && to.startsWith(wanted.prefix))) {
    return { path: { kind: 'prefix', prefix: from }, rewrite: { kind: 'prefix', value: to } };
  }
  const text = wanted.kind === 'prefix' ? wanted.prefix : wanted.exact;
  if (!text.startsWith(to)) {
    return 'never';
  }
  const before = `${from}${text.slice(to.length)}`;
  return wanted.kind === 'prefix'
    ? { path: { kind: 'prefix', prefix: before }, rewrite: { kind: 'prefix', value: text } }
    : { path: { kind: 'exact', exact: before }, rewrite: { kind: 'whole', value: text } };
}

/** Two conditions on one path. */
function meet(left: PathMatch | undefined, right: PathMatch | undefined): Met | 'never' | Refusal {
  if (right === undefined || isEveryPath(right)) {
    return { path: left };
  }
  if (left === undefined || isEveryPath(left)) {
    return { path: right };
  }
  if (left.kind === 'regex') {
    return meetRegex(left, right);
  }
  if (right.kind === 'regex') {
    return meetRegex(right, left);
  }
  const [longer, shorter] =
    textOf(left).length >= textOf(right).length ? [left, right] : [right, left];
  if (shorter.kind === 'exact' && longer.kind === 'prefix') {
    return textOf(shorter) === textOf(longer) ? { path: shorter } : 'never';
  }
  return isMetBy(textOf(longer), shorter) ? { path: longer } : 'never';
}

function meetRegex(path: Extract<PathMatch, { kind: 'regex' }>, other: PathMatch): Met | Refusal {
  if (other.kind === 'regex') {
    return other.regex === path.regex
      ? { path }
      : {
          reason:
            'compares the path with another regular expression than the gateway route does; ' +
            'use a prefix or an exact path in one of the two',
        };
  }
  // The header has the query, too, which the path conditions leave out.
  const match: ValueMatch =
    other.kind === 'prefix'
      ? { kind: 'prefix', prefix: other.prefix }
      : { kind: 'regex', regex: `${escapeRegex(other.exact)}(\\?.*)?` };
  return { path, header: { name: ':path', invert: false, match } };
}

/** True where `path` is any path at all. */
export function isEveryPath(path: PathMatch | undefined): boolean {
  return path === undefined || (path.kind === 'prefix' && path.prefix === '/');
}

function textOf(path: Exclude<PathMatch, { kind: 'regex' }>): string {
  return path.kind === 'prefix' ? path.prefix : path.exact;
}
