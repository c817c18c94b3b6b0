/**
 * What becomes of the fixtures when bytes of them are changed at random: always a list of problems or a
 * mesh that holds together, never an exception. The seed is in the failure message.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasErrors } from '../../controller/base/problem.js';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { Revision, SourceFile } from '../../controller/base/revision.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { problemTable } from '../../controller/decode/problems.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import { goldenCases } from '../support/golden.js';
import { revisionOfFolder } from '../support/revision.js';

const test = suite('mutated mesh files');

const seed = 20_260_930;
const rounds = 1000;

/** Cases whose point is their size would only slow this down. */
const fixtures: readonly Revision[] = goldenCases('decode')
  .filter(({ name }) => !/bomb|more-problems/.test(name))
  .map(({ path }) => revisionOfFolder(path));

/** Pieces that YAML, the schemas or JavaScript take for something special. */
const tokens = [
  ...'[]{}:,-?&*!|>\'"%@`#\t\n\r \\~=<'.split(''),
  ...['\n---\n', '\n...\n', '<<: *a', '&a ', '*a', '!!str ', '!x ', '__proto__', 'constructor: '],
  ...[
    'null',
    '~',
    'true',
    '.nan',
    '-.inf',
    '0x1F',
    '010',
    '1e309',
    '9007199254740993',
    '-1',
    '1.5',
  ],
  ...['\u0000', '\u0007', '\u2028', '\ufeff', '\ud800', '𝄞', 'spec: ', 'name: ', 'kind: Mesh\n'],
];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[Math.floor(random() * values.length)];
  assert.ok(value !== undefined);
  return value as Value;
}

function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = Math.floor(random() ** 3 * 40);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (Math.floor(random() * 5)) {
    case 0:
      return Buffer.concat([before, after.subarray(length)]);
    case 1:
      return Buffer.concat([before, Buffer.from(pick(random, tokens)), after]);
    case 2:
      return Buffer.concat([before, Buffer.from(pick(random, tokens)), after.subarray(length)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after]);
    default:
      return Buffer.concat([before, Buffer.of(Math.floor(random() * 256)), after.subarray(1)]);
  }
}

function mutateFile(random: Random, file: SourceFile): SourceFile {
  let { bytes } = file;
  for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) {
    bytes = mutate(random, bytes);
  }
  return { ...file, bytes };
}

test(`${rounds} mutations are problems or meshes, never a crash`, () => {
  assert.ok(fixtures.length > 30, `${fixtures.length} fixtures`);
  const random = seededRandom(seed);
  let accepted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const fixture = pick(random, fixtures);
    const chosen = pick(random, fixture.files);
    const files = fixture.files.map((file) => (file === chosen ? mutateFile(random, file) : file));
    const hint = `seed ${seed}, round ${round}, ${chosen.path}`;
    const { meshes, problems } = loadMeshes({ files, problems: [] });
    assert.is(meshes.length > 0, !hasErrors(problems), hint);
    accepted += meshes.length > 0 ? 1 : 0;
    for (const problem of problems) {
      assert.ok(Object.hasOwn(problemTable, problem.code), `${hint}: ${problem.code}`);
      const text = files.find(({ path }) => path === problem.file);
      const lines = readLines(text);
      assert.ok(problem.line >= 0 && problem.line <= lines, `${hint}: line ${problem.line}`);
    }
    for (const mesh of meshes) {
      assert.equal(danglingReferences(mesh), [], hint);
    }
  }
  assert.ok(accepted > rounds / 100, `only ${accepted} of ${rounds} mutations were harmless`);
  assert.ok(accepted < rounds / 2, `${accepted} of ${rounds} mutations were harmless`);
});

function readLines(file: SourceFile | undefined): number {
  return new TextDecoder().decode(file?.bytes).split(/\r\n|\n|\r/).length;
}

test.run();
