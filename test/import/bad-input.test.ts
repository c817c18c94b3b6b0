/**
 * What cannot be read ends the import at its file and line, whatever it is, and quickly; what looks
 * dangerous and is not is imported as the text that it is.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importAppMesh } from '../../controller/import/import-app-mesh.js';
import { imported } from './import-case.js';

const test = suite('importing what is no App Mesh definition');

const none = { parameters: new Map<string, string>() };

function faultsOf(text: string | Uint8Array, path = 'in.yaml'): readonly string[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const result = importAppMesh([{ path, bytes }], none);
  return result.kind === 'imported'
    ? []
    : result.faults.map(
        ({ place: { file, line, column }, message }) => `${file}:${line}:${column}: ${message}`,
      );
}

/** A template with `value` as the name of its mesh. */
function template(value: string, sections = ''): string {
  return `${sections}Resources:\n  M:\n    Type: AWS::AppMesh::Mesh\n    Properties:\n      MeshName: ${value}\n`;
}

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefgh'.split('').map((name, index) => {
    const before = `*${'abcdefg'[index]}`;
    return `${name}: &${name} [${Array(10).fill(before).join(', ')}]`;
  }),
].join('\n');

const cases: readonly (readonly [what: string, text: string | Uint8Array, fault: RegExp])[] = [
  ['an open bracket', 'a: [1\nb: 2\n', /^in\.yaml:\d+:\d+: this is no valid YAML: /],
  [
    'an image',
    Uint8Array.from({ length: 64 }, (_, index) => index % 7),
    /^in\.yaml:0:0: the file is binary/,
  ],
  [
    'Latin-1',
    Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]),
    /^in\.yaml:1:4: the bytes here are not valid UTF-8/,
  ],
  ['UTF-16', Buffer.from('\ufeffa: b', 'utf16le'), /^in\.yaml:0:0: the file is UTF-16/],
  [
    'brackets without end',
    '['.repeat(100_000),
    /^in\.yaml:1:\d+: more than 200 levels stand inside/,
  ],
  ['an alias bomb', bomb, /^in\.yaml:\d+:\d+: the file has more than 500000 values/],
  ['an alias inside its anchor', 'a: &a [*a]', /^in\.yaml:1:\d+: /],
  ['an alias of nothing', 'a: *b', /^in\.yaml:1:\d+: /],
  ['a field twice', 'a: 1\na: 2\n', /^in\.yaml:2:\d+: this is no valid YAML: .*unique/],
  [
    'an unknown function',
    template('!Reff Name'),
    /^in\.yaml:5:\d+: the function Reff is not known; did you mean Ref\?/,
  ],
  [
    'its long form',
    template('{ "Fn::Subb": x }'),
    /^in\.yaml:5:\d+: the function Subb is not known; did you mean Sub\?/,
  ],
  [
    'a function of AWS',
    template('!Transform { Name: M }'),
    /^in\.yaml:5:\d+: the function Transform is left to AWS/,
  ],
  ['JavaScript', template('!!js/function "process.exit()"'), /^in\.yaml:5:\d+: the function !js/],
  [
    'a reference to nothing',
    template('!Ref Nmae', 'Parameters: { Name: { Type: String } }\n'),
    /^in\.yaml:6:\d+: Nmae is neither a parameter nor a resource of the template; did you mean Name\?/,
  ],
  [
    'an attribute of nothing',
    template('!GetAtt Mesh'),
    /^in\.yaml:5:\d+: Mesh is no attribute of a resource/,
  ],
  [
    'a resource that names itself',
    template('!GetAtt M.MeshName'),
    /^in\.yaml:5:\d+: the resource M refers to itself/,
  ],
  [
    'conditions in a circle',
    template('!If [A, x, y]', 'Conditions: { A: !Not [!Condition B], B: !Not [!Condition A] }\n'),
    /: the condition A refers to itself$/,
  ],
  [
    'a condition of nothing',
    template('!If [A, x, y]'),
    /^in\.yaml:5:\d+: the condition A is not in Conditions/,
  ],
  [
    'a function without its arguments',
    template('!Join x'),
    /^in\.yaml:5:\d+: Join takes a list of 2/,
  ],
  [
    'an element that is not there',
    template('!Select [3, [a]]'),
    /^in\.yaml:5:\d+: Select asks for an element/,
  ],
  [
    'a map without the key',
    template('!FindInMap [A, b, c]'),
    /^in\.yaml:5:\d+: Mappings has no A, b, c/,
  ],
  [
    'a loop of templates',
    'Resources:\n  M: { Type: "AWS::AppMesh::Mesh", Properties: {} }\n  "Fn::ForEach::N": [A, [b], {}]\n',
    /^in\.yaml:3:3: Fn::ForEach::N makes resources that only AWS can work out/,
  ],
  [
    'a resource without properties',
    'Resources: { M: { Type: "AWS::AppMesh::Mesh" } }',
    /^in\.yaml:1:14: the resource M has no Properties/,
  ],
];

for (const [what, text, fault] of cases) {
  test(`${what} is said at its line`, () => {
    const faults = faultsOf(text);
    assert.is(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', fault);
  });
}

test('every file that cannot be read is named, and nothing else is imported', () => {
  const files = ['a: [', template('shop'), 'b: }'].map((text, index) => ({
    path: `${index}.yaml`,
    bytes: Buffer.from(text),
  }));
  const result = importAppMesh(files, none);
  assert.is(result.kind, 'unreadable');
  const named = result.kind === 'unreadable' ? result.faults.map(({ place }) => place.file) : [];
  assert.equal(named, ['0.yaml', '2.yaml']);
});

test('names that JavaScript has a meaning for are names like any other', () => {
  const text =
    'apiVersion: appmesh.k8s.aws/v1beta2\nkind: Mesh\nmetadata:\n  name: shop\n' +
    '  labels: { __proto__: polluted, constructor: x }\nspec:\n  __proto__: { egressFilter: { type: ALLOW_ALL } }\n';
  const result = imported([{ path: 'in.yaml', bytes: Buffer.from(text) }]);
  const reasons = result.entries.filter(({ outcome }) => outcome === 'dropped');
  assert.equal(
    reasons.map(({ from }) => from),
    ['metadata.labels.__proto__', 'spec.__proto__.egressFilter.type'],
  );
  assert.is(({} as { egressFilter?: unknown }).egressFilter, undefined);
});

test('a byte order mark and CR LF are harmless', () => {
  const text = `\ufeff${template('shop').replaceAll('\n', '\r\n')}`;
  assert.equal(imported([{ path: 'in.yaml', bytes: Buffer.from(text) }]).meshes, ['shop']);
});

test('an empty file, and comments alone, hold nothing', () => {
  for (const text of ['', '# nothing\n', '---\n---\n']) {
    assert.is(imported([{ path: 'in.yaml', bytes: Buffer.from(text) }]).resources, 0);
  }
});

test.run();
