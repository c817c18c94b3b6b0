/**
 * Which proxies a client status request means (`envoy/type/matcher/v3/node.proto`): any of its matchers,
 * each of which wants its node id and all of its metadata to match. Matchers that this server cannot
 * judge throw, since leaving them out would show proxies that were not asked for.
 */
import { RE2JS } from 're2js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { plainStruct } from './protos.js';
import type { NodeMessage } from './requests.js';

type NodeMatcher = MessageTypes['envoy.type.matcher.v3.NodeMatcher'];
type StringMatcher = MessageTypes['envoy.type.matcher.v3.StringMatcher'];
type ValueMatcher = MessageTypes['envoy.type.matcher.v3.ValueMatcher'];

/** True where any of `matchers` matches `node`, and where there are none. */
export function matchesNode(matchers: readonly NodeMatcher[], node: NodeMessage): boolean {
  return matchers.length === 0 || matchers.some((matcher) => matches(matcher, node));
}

function matches(matcher: NodeMatcher, node: NodeMessage): boolean {
  const isIdRight = matcher.node_id === undefined || matchesText(matcher.node_id, node.id ?? '');
  const metadata = plainStruct(node.metadata);
  return (
    isIdRight &&
    (matcher.node_metadatas ?? []).every(({ path = [], value = {} }) => {
      const keys = path.map((segment) => segment.key ?? '');
      return matchesValue(value, valueAt(metadata, keys));
    })
  );
}

function valueAt(metadata: Readonly<Record<string, unknown>>, keys: readonly string[]): unknown {
  let value: unknown = metadata;
  for (const key of keys) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    value = isObject ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return value;
}

function matchesValue(matcher: ValueMatcher, value: unknown): boolean {
  if (matcher.string_match !== undefined) {
    return typeof value === 'string' && matchesText(matcher.string_match, value);
  }
  if (matcher.present_match !== undefined) {
    return (value !== undefined) === matcher.present_match;
  }
  if (matcher.bool_match !== undefined) {
    return value === matcher.bool_match;
  }
  if (matcher.null_match !== undefined) {
    return value === null;
  }
  if (matcher.double_match !== undefined) {
    const { exact, range } = matcher.double_match;
    return range === undefined
      ? value === (exact ?? 0)
      : typeof value === 'number' && value >= (range.start ?? 0) && value < (range.end ?? 0);
  }
  if (matcher.or_match !== undefined) {
    return (matcher.or_match.value_matchers ?? []).some((each) => matchesValue(each, value));
  }
  if (matcher.list_match !== undefined) {
    const { one_of = {} } = matcher.list_match;
    return Array.isArray(value) && value.some((element) => matchesValue(one_of, element));
  }
  throw new Error('a value matcher of node_metadatas is empty');
}

function matchesText(matcher: StringMatcher, text: string): boolean {
  const fold = (part: string): string => (matcher.ignore_case ? part.toLowerCase() : part);
  const folded = fold(text);
  if (matcher.exact !== undefined) {
    return folded === fold(matcher.exact);
  }
  if (matcher.prefix !== undefined) {
    return folded.startsWith(fold(matcher.prefix));
  }
  if (matcher.suffix !== undefined) {
    return folded.endsWith(fold(matcher.suffix));
  }
  if (matcher.contains !== undefined) {
    return folded.includes(fold(matcher.contains));
  }
  if (matcher.safe_regex !== undefined) {
    return RE2JS.compile(matcher.safe_regex.regex ?? '').matches(text);
  }
  throw new Error('a string matcher has none of exact, prefix, suffix, contains and safe_regex');
}
