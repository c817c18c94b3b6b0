/**
 * Nothing is dropped in silence: each value of the input has an entry of the report at its line and
 * column, or lies inside a resource that is named as skipped or an expression that is named as one. Held
 * against every case, and against cases with fields renamed, added and emptied at random.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { SourceFile } from '../../controller/base/revision.js';
import { type Import, importAppMesh } from '../../controller/import/import-app-mesh.js';
import { intrinsicOf } from '../../controller/import/intrinsics.js';
import { readSource } from '../../controller/import/read-source.js';
import type { Place, SourceNode } from '../../controller/import/source.js';
import { goldenCases } from '../support/golden.js';
import { filesOf, imported, optionsOf } from './import-case.js';

const test = suite('every value of the input is in the report');

const cases = goldenCases('import').map(({ name, path }) => ({
  name,
  files: filesOf(path),
  options: optionsOf(path),
}));

for (const { name, files, options } of cases) {
  test(`${name}: as it is written`, () => {
    assert.equal(silent(files, imported(files, options)), []);
  });
}

const runs = 300;

test(`${runs} definitions that somebody has been careless with`, () => {
  const random = seededRandom(7);
  const below = (limit: number) => Math.floor(random() * limit);
  let importedRuns = 0;
  for (let run = 0; run < runs; run += 1) {
    const { name, files, options } = cases[below(cases.length)] as (typeof cases)[number];
    const careless = files.map((file) => ({ ...file, bytes: Buffer.from(mutate(file, below)) }));
    const result = importAppMesh(careless, options);
    if (result.kind === 'imported') {
      importedRuns += 1;
      assert.equal(silent(careless, result.import), [], `${name}, run ${run}`);
    } else {
      assert.ok(result.faults.every(({ message }) => message !== ''));
    }
  }
  assert.ok(importedRuns > runs / 2, `only ${importedRuns} of ${runs} were imported`);
});

/** Values of `files` that no entry of `result` speaks of. */
function silent(files: readonly SourceFile[], { entries }: Import): readonly string[] {
  const told = new Set(entries.map(({ place }) => keyOf(place)));
  const skipped = new Set(
    entries.filter(({ outcome }) => outcome === 'skipped').map(({ place }) => keyOf(place)),
  );
  const untold = (node: SourceNode, isInside: boolean): readonly string[] => {
    const key = keyOf(node.place);
    const isTold =
      isInside || skipped.has(key) || (intrinsicOf(node) !== undefined && told.has(key));
    if (node.kind === 'list' && node.items.length > 0) {
      return node.items.flatMap((item) => untold(item.node, isTold));
    }
    if (node.kind === 'map' && node.entries.length > 0) {
      return node.entries.flatMap((entry) => untold(entry.node, isTold));
    }
    return isTold || told.has(key)
      ? []
      : [`${key} ${node.kind === 'scalar' ? node.text : node.kind}`];
  };
  return files.flatMap((file) => readSource(file).flatMap(({ root }) => untold(root, false)));
}

function keyOf({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** Renames, adds or empties a few fields of the text, in a way that leaves it YAML most of the time. */
function mutate(file: SourceFile, below: (limit: number) => number): string {
  const lines = Buffer.from(file.bytes).toString('utf8').split('\n');
  for (let change = 0; change <= below(3); change += 1) {
    const at = below(lines.length);
    const line = lines[at] ?? '';
    const field = /^([ \t-]*)("?)([A-Za-z]+)("?):/.exec(line);
    if (field !== null) {
      const [, indent = '', open = '', key = '', close = ''] = field;
      const edits = [
        line.replace(`${key}${close}:`, `${key}x${close}:`),
        line.replace(key, key.charAt(0).toUpperCase() + key.slice(1)),
        file.path.endsWith('.json') || indent.includes('-')
          ? line
          : `${indent}${open}extra${close}: [1, {}]\n${line}`,
        line.replace(/: [a-z0-9]+$/, ': null'),
      ];
      lines[at] = edits[below(edits.length)] ?? line;
    }
  }
  return lines.join('\n');
}

test.run();
