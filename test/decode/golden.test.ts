/**
 * Each case is a folder of YAML files and what becomes of them: `problems.txt` as `headgate validate`
 * prints it, where there is one, and `mesh.json`, the canonical meshes, where they are usable. A case may
 * have `providers.json`, those of the controller's configuration.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../controller/base/hash.js';
import { renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { problemTable } from '../../controller/decode/problems.js';
import type { ProviderName } from '../../controller/mesh/gates.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { revisionOfFolder } from '../support/revision.js';

const test = suite('decoding, case by case');
const cases = goldenCases('decode');

/** Compares with the file, which must not be there where there is nothing to compare it with. */
function assertOutput(path: string, actual: string | undefined): void {
  if (actual !== undefined) {
    assertGolden(path, actual);
  } else if (process.env.UPDATE_GOLDEN === '1') {
    rmSync(path, { force: true });
  } else {
    assert.not(existsSync(path), `${path} is left over: the case has no such result`);
  }
}

/** Those of the configuration, where the case has one. */
function providersIn(path: string): readonly ProviderName[] | undefined {
  const file = join(path, 'providers.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

for (const { name, path } of cases) {
  test(`${name} is decoded as written down`, () => {
    const { meshes, problems } = loadMeshes(revisionOfFolder(path), providersIn(path));
    const lines = problems.map(renderProblem);
    const json = JSON.stringify(JSON.parse(canonicalJson(meshes)), null, 2);
    assertOutput(join(path, 'problems.txt'), lines.length > 0 ? lines.join('\n') : undefined);
    assertOutput(join(path, 'mesh.json'), meshes.length > 0 ? json : undefined);
  });
}

test('each code of the table is produced by a case, and no other', () => {
  const seen = new Set(
    cases.flatMap(({ path }) => {
      const file = join(path, 'problems.txt');
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return [...text.matchAll(/: (?:error|warning) (HG\d{4}) /g)].map(([, code]) => code);
    }),
  );
  assert.equal([...seen].sort(), Object.keys(problemTable).sort());
});

test('each entry of the table says what happened, why and what to do', () => {
  for (const [code, entry] of Object.entries(problemTable)) {
    assert.match(entry.title, /^[a-zA-Z0-9 ,'&?-]{4,60}$/, code);
    assert.match(entry.cause, /^[A-Z].*\.$/s, code);
    assert.match(entry.resolution, /^[A-Z].*\.$/s, code);
    assert.ok(entry.example.length > 0, code);
  }
});

test.run();
