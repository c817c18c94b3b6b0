/** `--repo URL|DIR` → the source for it: a plain directory is watched, everything else is Git. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '../loop/ports.js';
import { createDirectorySource } from './directory-source.js';
import { createGitSource, type GitSourceSettings } from './git-source.js';
import type { SourceDeps } from './poller.js';
import { parseRepository } from './repository.js';

/**
 * The source that `settings.repo` names. A path where nothing is counts as a repository that cannot be
 * reached: a controller must start, and serve what it has, while a disk is not mounted.
 * @throws OpError (stalled) where a setting is refused, see `createGitSource`.
 */
export function openSource(settings: GitSourceSettings, deps: SourceDeps): Source {
  const { transport, url } = parseRepository(settings.repo);
  const isPath = transport === 'file' && !url.startsWith('file:');
  return isPath && isPlainDirectory(url)
    ? createDirectorySource({ ...settings, directory: url }, deps)
    : createGitSource(settings, deps);
}

/** True for a directory that is neither a work tree nor a bare repository. */
export function isPlainDirectory(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    return false;
  }
  const isWorkTree = existsSync(join(path, '.git'));
  const isBare = existsSync(join(path, 'objects')) && existsSync(join(path, 'HEAD'));
  return !isWorkTree && !isBare;
}
