/** Node matchers: every kind of them against nodes that match and nodes that do not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MessageTypes } from '../../controller/generated/envoy-types.js';
import { matchesNode } from '../../controller/xds/node-matcher.js';

type StringMatcher = MessageTypes['envoy.type.matcher.v3.StringMatcher'];
type ValueMatcher = MessageTypes['envoy.type.matcher.v3.ValueMatcher'];

const byId = (node_id: StringMatcher, id: string): boolean => matchesNode([{ node_id }], { id });

for (const [title, matcher, yes, no] of [
  ['exact', { exact: 'a.b' }, 'a.b', 'axb'],
  ['exact, whatever the case', { exact: 'A', ignore_case: true }, 'a', 'b'],
  ['prefix', { prefix: 'mesh/' }, 'mesh/m', 'a/mesh/'],
  ['suffix', { suffix: '/a' }, 'b/a', 'a/b'],
  ['contains', { contains: 'virtualNode' }, 'mesh/m/virtualNode/a', 'mesh/m/virtualGateway/a'],
  ['a regular expression, of the whole', { safe_regex: { regex: 'a+' } }, 'aaa', 'aab'],
] as const) {
  test(`46: a node id by ${title}`, () => {
    assert.ok(byId(matcher, yes), `${yes} matches`);
    assert.not(byId(matcher, no), `${no} does not`);
  });
}

const metadata = {
  fields: {
    text: { stringValue: 'x' },
    number: { numberValue: 3 },
    yes: { boolValue: true },
    nothing: { nullValue: 'NULL_VALUE' as const },
    list: { listValue: { values: [{ stringValue: 'x' }, { numberValue: 1 }] } },
    inner: { structValue: { fields: { text: { stringValue: 'deep' } } } },
  },
};

const byValue = (path: string, value: ValueMatcher): boolean =>
  matchesNode([{ node_metadatas: [{ path: path.split('.').map((key) => ({ key })), value }] }], {
    metadata,
  });

for (const [path, value, expected] of [
  ['text', { string_match: { exact: 'x' } }, true],
  ['text', { string_match: { exact: 'y' } }, false],
  ['number', { string_match: { exact: '3' } }, false],
  ['inner.text', { string_match: { prefix: 'de' } }, true],
  ['inner.text.more', { present_match: true }, false],
  ['inner.toString', { present_match: true }, false],
  ['text', { present_match: true }, true],
  ['ghost', { present_match: false }, true],
  ['yes', { bool_match: true }, true],
  ['yes', { bool_match: false }, false],
  ['nothing', { null_match: {} }, true],
  ['ghost', { null_match: {} }, false],
  ['number', { double_match: { exact: 3 } }, true],
  ['number', { double_match: { range: { start: 1, end: 3 } } }, false],
  ['number', { double_match: { range: { start: 3, end: 4 } } }, true],
  ['list', { list_match: { one_of: { string_match: { exact: 'x' } } } }, true],
  ['list', { list_match: { one_of: { string_match: { exact: 'y' } } } }, false],
  [
    'text',
    { or_match: { value_matchers: [{ bool_match: true }, { string_match: { exact: 'x' } }] } },
    true,
  ],
] as const) {
  test(`46: metadata ${path} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(value)}`, () => {
    assert.is(byValue(path, value), expected);
  });
}

test('46: a matcher that says nothing is an error, not a match', () => {
  assert.throws(() => byId({}, 'a'), /none of exact/);
  assert.throws(() => byValue('text', {}), /is empty/);
});

test.run();
