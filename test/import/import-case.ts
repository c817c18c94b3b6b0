/** A case of `test/golden/import`: the files that are imported, and with which options. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { SourceFile } from '../../controller/base/revision.js';
import {
  type Import,
  type ImportOptions,
  importAppMesh,
} from '../../controller/import/import-app-mesh.js';

export function filesOf(casePath: string): readonly SourceFile[] {
  const folder = join(casePath, 'in');
  return readdirSync(folder)
    .sort()
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}

export function optionsOf(casePath: string): ImportOptions {
  const { parameters, mesh } = JSON.parse(readFileSync(join(casePath, 'options.json'), 'utf8'));
  return { parameters: new Map(Object.entries<string>(parameters)), mesh };
}

/** The import of `files`, which is expected to be one. */
export function imported(files: readonly SourceFile[], options: ImportOptions = none): Import {
  const result = importAppMesh(files, options);
  if (result.kind === 'unreadable') {
    assert.unreachable(JSON.stringify(result.faults));
    throw new Error('unreachable');
  }
  return result.import;
}

const none: ImportOptions = { parameters: new Map() };

/** The YAML files of `result`, one after the other under their names. */
export function meshFilesOf({ files }: Import): readonly { path: string; text: string }[] {
  return files.filter(({ path }) => path.endsWith('.yaml'));
}
