/** The saved inputs of each target: what was worth keeping, and every one that a target once failed at. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from '../support/project.js';

export function readCorpus(target: string): readonly Uint8Array[] {
  const folder = folderOf(target);
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

/** Keeps `input`, so that every later run begins with it; the result is its path. */
export function saveInput(target: string, input: Uint8Array): string {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const path = join(
    folder,
    `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`,
  );
  writeFileSync(path, input);
  return path;
}

function folderOf(target: string): string {
  return projectPath(`test/fuzz/corpus/${target}`);
}
