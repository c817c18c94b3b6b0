/** Conditions on paths, headers and query parameters in the model's terms. */
import { assert } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type { HeaderMatch, PathMatch, RouteMatch, ValueMatch } from '../mesh/model.js';

/** Undefined where neither a prefix nor a path is given. */
export function pathMatch(written: {
  prefix?: string;
  path?: yaml.PathCondition;
}): PathMatch | undefined {
  const { prefix, path } = written;
  if (prefix !== undefined) {
    return { kind: 'prefix', prefix };
  }
  if (path?.exact !== undefined) {
    return { kind: 'exact', exact: path.exact };
  }
  return path?.regex === undefined ? undefined : { kind: 'regex', regex: path.regex };
}

/**
 * Names of headers are compared without case, so they are lower-case here, as HTTP/2 sends them.
 */
export function headerMatch({ name, invert, match }: yaml.HeaderMatch): HeaderMatch {
  return {
    name: name.toLowerCase(),
    invert: invert ?? false,
    match: match === undefined ? { kind: 'present' } : valueMatch(match),
  };
}

function valueMatch({ exact, prefix, suffix, regex, range }: yaml.ValueMatch): ValueMatch {
  if (exact !== undefined) {
    return { kind: 'exact', exact };
  }
  if (prefix !== undefined) {
    return { kind: 'prefix', prefix };
  }
  if (suffix !== undefined) {
    return { kind: 'suffix', suffix };
  }
  if (regex !== undefined) {
    return { kind: 'regex', regex };
  }
  assert(range !== undefined, 'the schema lets exactly one way of comparing pass');
  return { kind: 'range', start: range.start, end: range.end };
}

export function queryMatch(written: yaml.QueryParameter): RouteMatch['queryParameters'][number] {
  return { name: written.name, exact: written.match?.exact };
}
