/** Encodings and line ends: what is text is read the same, and what is not is named for what it is. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../controller/base/hash.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { projectPath } from '../support/project.js';
import { revisionOf } from '../support/revision.js';

const test = suite('text of mesh files');
const plain = readFileSync(
  projectPath('test/golden/decode/every-field-of-a-virtual-router/mesh.yaml'),
  'utf8',
);

function meshText(content: string | Uint8Array): string {
  const { meshes, problems } = loadMeshes(revisionOf({ 'mesh.yaml': content }));
  assert.equal(problems, []);
  return canonicalJson(meshes);
}

function codesOf(content: string | Uint8Array): readonly string[] {
  const { problems } = loadMeshes(revisionOf({ 'a.yaml': content, 'mesh.yaml': plain }));
  return problems.map(({ code }) => code);
}

test('a byte order mark, CR LF and a missing last line end change nothing', () => {
  const expected = meshText(plain);
  assert.is(meshText(`\ufeff${plain}`), expected);
  assert.is(meshText(plain.replaceAll('\n', '\r\n')), expected);
  assert.is(meshText(plain.trimEnd()), expected);
});

test('with a byte order mark and CR LF a problem keeps its line and column', () => {
  const wrong = plain.replace('priority: 7', 'priority: 7000');
  const place = (content: string) => {
    const [problem] = loadMeshes(revisionOf({ 'mesh.yaml': content })).problems;
    return `${problem?.line}:${problem?.column} ${problem?.code}`;
  };
  assert.match(place(wrong), /^[1-9]\d*:17 HG0308$/);
  assert.is(place(`\ufeff${wrong.replaceAll('\n', '\r\n')}`), place(wrong));
});

test('columns count UTF-16 units, as editors do', () => {
  const { problems } = loadMeshes(
    revisionOf({
      'a.yaml': 'apiVersion: headgate/v1\nkind: Mesh\n"𝄞": 1\nmetadata: { name: a }\n',
    }),
  );
  assert.equal(
    problems.map(({ line, column, code }) => [line, column, code]),
    [[3, 1, 'HG0304']],
  );
});

test('each encoding that is not UTF-8 has its own code', () => {
  const utf16 = new Uint8Array(Buffer.from('kind: Mesh', 'utf16le'));
  assert.equal(codesOf(utf16), ['HG0202']);
  assert.equal(codesOf(utf16.map((_, index) => utf16[index ^ 1] ?? 0)), ['HG0202']);
  assert.equal(codesOf(Uint8Array.of(0xff, 0xfe, 0x41, 0)), ['HG0202']);
  assert.equal(codesOf(Uint8Array.of(0x61, 0xc3)), ['HG0201']);
  assert.equal(codesOf(Uint8Array.of(0xed, 0xa0, 0x80)), ['HG0201'], 'a lone surrogate');
  assert.equal(codesOf(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)), ['HG0203']);
  assert.equal(codesOf(`a: ${'x'.repeat(100)}\u0000`), ['HG0203']);
});

test('empty files, blank files and lone comments hold nothing', () => {
  for (const content of [
    '',
    '\n\n',
    ' ',
    '# a\n',
    '---\n',
    '---\n...\n',
    '\ufeff',
    '# no line end',
  ]) {
    assert.equal(codesOf(content), [], JSON.stringify(content));
  }
});

test.run();
