/** Where the checkout lies, for fixtures and golden files: tests run compiled, from another folder. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.env.HEADGATE_ROOT ?? findRoot(dirname(fileURLToPath(import.meta.url)));

/** The absolute path of `relativePath`, `/` as separator, in the checkout. */
export function projectPath(relativePath: string): string {
  return join(root, relativePath);
}

function findRoot(start: string): string {
  const manifest = join(start, 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'headgate') {
    return start;
  }
  if (dirname(start) === start) {
    throw new Error('no package.json of headgate above this file');
  }
  return findRoot(dirname(start));
}
