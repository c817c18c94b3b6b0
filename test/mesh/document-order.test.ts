/**
 * Where a document stands says nothing about what it means: the same documents in any order, in any files,
 * are the same mesh byte for byte. Seeded; the seed is in the failure message.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../controller/base/hash.js';
import { type Random, seededRandom } from '../../controller/base/random.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { goldenCases } from '../support/golden.js';
import { revisionOf, revisionOfFolder } from '../support/revision.js';

const test = suite('order of documents and files');

const seed = 7;
const rounds = 20;

const cases = goldenCases('decode').flatMap(({ name, path }) => {
  const revision = revisionOfFolder(path);
  const { meshes } = loadMeshes(revision);
  const texts = revision.files.flatMap((file) =>
    new TextDecoder().decode(file.bytes).split(/^---\n/m),
  );
  return meshes.length > 0 && texts.length > 1
    ? [{ name, texts, json: canonicalJson(meshes) }]
    : [];
});

function shuffled<Value>(random: Random, values: readonly Value[]): readonly Value[] {
  return values
    .map((value) => ({ value, rank: random() }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ value }) => value);
}

/** The documents in a random order, cut into up to four files. */
function scattered(random: Random, texts: readonly string[]): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const text of shuffled(random, texts)) {
    const path = `${'abcd'[Math.floor(random() * 4)]}.yaml`;
    files[path] = `${files[path] ?? ''}---\n${text}\n`;
  }
  return files;
}

test('there are meshes to scatter', () => {
  assert.ok(cases.length >= 8, `${cases.length} cases`);
});

for (const { name, texts, json } of cases) {
  test(`${name} means the same in any order`, () => {
    const random = seededRandom(seed);
    for (let round = 0; round < rounds; round += 1) {
      const { meshes } = loadMeshes(revisionOf(scattered(random, texts)));
      assert.is(canonicalJson(meshes), json, `seed ${seed}, round ${round}`);
    }
  });
}

test.run();
