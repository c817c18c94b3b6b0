/** Revisions for tests: files by path, from text, bytes or a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { revisionId } from '../../controller/base/brand.js';
import type { Revision, SourceFile } from '../../controller/base/revision.js';

export function revisionOf(files: Readonly<Record<string, string | Uint8Array>>): Revision {
  const sorted = Object.entries(files).sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    id: revisionId('test'),
    ref: 'test',
    author: '',
    committedAtMs: 0,
    message: '',
    files: sorted.map(([path, content]) => ({ path, bytes: toBytes(content) })),
    problems: [],
  };
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** The YAML files below `folder`, without hidden ones, as a source reads them. */
export function revisionOfFolder(folder: string): Revision {
  const files: SourceFile[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ya?ml$/.test(path) && !/(^|\/)\./.test(path))
    .map((path) => ({
      path: path.replaceAll('\\', '/'),
      bytes: readFileSync(join(folder, path)),
    }))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
  return { ...revisionOf({}), files };
}
