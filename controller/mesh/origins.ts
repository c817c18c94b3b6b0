/**
 * Where resources stand in the mesh repository. Not part of the model: it never changes what is served. Kept
 * file by file, since a commit moves what stands in the files that it changes and nothing else.
 */
import { groupBy } from '../base/group-by.js';

export interface Origin {
  /** The repository's name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** `nodes.yaml:3`, or `nodes.yaml:3 in payments` where there are several repositories. */
export function renderOrigin({ repository, file, line }: Origin): string {
  return `${file}:${line}${repository === undefined ? '' : ` in ${repository}`}`;
}

/** The resources of one file, at least one, by their keys, in the order of the file. Plain JSON. */
export type FileOrigins = readonly (readonly [resource: string, origin: Origin])[];

/** By a key of the file; a resource stands in one file. */
export type Origins = ReadonlyMap<string, FileOrigins>;

/** Where all resources stand, by resource key, as files. */
export function originsByFile(origins: ReadonlyMap<string, Origin>): Origins {
  // No repository's name has a colon in it.
  return groupBy(origins, ([, { repository = '', file }]) => [`${repository}:${file}`]);
}

/** Where the resource with key `resource` stands; undefined where it is in no file. */
export function originOf(origins: Origins, resource: string): Origin | undefined {
  for (const file of origins.values()) {
    const found = file.find(([key]) => key === resource);
    if (found !== undefined) {
      return found[1];
    }
  }
  return undefined;
}
