/**
 * `.headgateignore` at the mesh's path: YAML of other tools that is no mesh, in the words of gitignore(5).
 * The same file decides for commits and for directories.
 */
import createIgnore from 'ignore';
import type { Problem } from '../base/problem.js';
import { sourceProblem } from './problems.js';

export const ignoreFileName = '.headgateignore';

/** A list of patterns; whatever is longer is no list. */
export const ignoreBytesMax = 64 * 1024;

/** True for a path, from the repository's root, that is passed over. */
export type IsIgnored = (path: string) => boolean;

/** What `content`, the text of the file in the folder `root` (empty: the repository's), says. */
export function parseIgnoreFile(content: string, root: string): IsIgnored {
  const patterns = createIgnore().add(content);
  const prefix = root === '' ? '' : `${root}/`;
  return (path) => {
    const below = path.startsWith(prefix) ? path.slice(prefix.length) : path;
    // Names that the library will not look at, as `../x`, are for others to refuse.
    return createIgnore.isPathValid(below) && patterns.ignores(below);
  };
}

/** The problem of one that is no regular file, or too long, in the folder `root`. */
export function ignoreProblem(root: string): Problem {
  const file = root === '' ? ignoreFileName : `${root}/${ignoreFileName}`;
  const message = `\`${file}\` is no regular file of at most ${ignoreBytesMax} bytes; replace it`;
  return sourceProblem('HG0113', file, message);
}
