/**
 * Golden files: what a pure stage makes of an input, kept as text that people read in a review.
 * `UPDATE_GOLDEN=1` writes them anew; CI refuses that.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { projectPath } from './project.js';

/** The folders of one area's cases below `test/golden/`, by name. */
export function goldenCases(
  area: string,
): readonly { readonly name: string; readonly path: string }[] {
  const folder = projectPath(`test/golden/${area}`);
  const names = readdirSync(folder).sort();
  assert.ok(names.length > 0, `${folder} has no case`);
  return names.map((name) => ({ name, path: join(folder, name) }));
}

/** Compares `actual`, made to end in a newline, with the file byte by byte. */
export function assertGolden(path: string, actual: string): void {
  const text = actual.endsWith('\n') ? actual : `${actual}\n`;
  if (process.env.UPDATE_GOLDEN === '1') {
    assert.not(process.env.CI, 'golden files are not rewritten in CI');
    writeFileSync(path, text);
    return;
  }
  assert.is(text, readFileSync(path, 'utf8'), `${path} differs`);
}
