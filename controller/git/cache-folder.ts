/**
 * The folder of our own that git works in: an empty home, a configuration file, the askpass script and
 * one bare repository at a time. A repository lives no longer than the process, and no longer than its
 * first oddity: whatever a crash, a kill or a bad disk left behind is thrown away and fetched anew,
 * never repaired, since git notices a corrupt pack only where it happens to read it.
 */
import { chmod, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../loop/ports.js';
import { askpassScript } from './credentials.js';
import { lockFolder } from './folder-lock.js';

export interface CacheFolder {
  readonly home: string;
  readonly configFile: string;
  readonly askpassFile: string;
  /** A path for a new repository, where nothing is; the folders of earlier ones are removed. */
  freshRepositoryPath(): Promise<string>;
  /** @throws OpError `cache-locked` where another process has taken the folder over. */
  verify(): Promise<void>;
  /** Removes the repository and gives the folder up. */
  close(): Promise<void>;
}

/**
 * `safe.directory`: the one repository of others that git is pointed at is the operator's own choice,
 * and in a container it regularly belongs to another user. Only a file can say so to the `upload-pack`
 * of a local repository: git keeps `-c` and GIT_CONFIG_COUNT from it.
 */
const gitConfig = '[safe]\n\tdirectory = *\n';

const repositoryPrefix = 'objects-';

/** Makes or takes over `path`. @throws OpError `cache-locked` where another process owns it. */
export async function openCacheFolder(path: string, clock: Clock): Promise<CacheFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const root = await realpath(path);
  const lock = await lockFolder(join(root, 'lock'), clock);
  const folder = {
    home: join(root, 'home'),
    configFile: join(root, 'gitconfig'),
    askpassFile: join(root, 'askpass'),
  };
  try {
    await furnish(root, folder);
  } catch (error) {
    await lock.release();
    throw error;
  }
  let count = 0;
  return {
    ...folder,
    async freshRepositoryPath() {
      await removeRepositories(root);
      count += 1;
      return join(root, `${repositoryPrefix}${process.pid}-${count}.git`);
    },
    verify: () => lock.verify(),
    async close() {
      // Where the folder is no longer ours, its repository is not ours either.
      await lock.verify().then(
        () => removeRepositories(root),
        () => {},
      );
      await lock.release();
    },
  };
}

async function furnish(
  root: string,
  folder: Pick<CacheFolder, 'home' | 'configFile' | 'askpassFile'>,
): Promise<void> {
  await removeRepositories(root);
  await rm(folder.home, { recursive: true, force: true });
  await mkdir(folder.home, { mode: 0o700 });
  await writeFile(folder.configFile, gitConfig);
  await writeFile(folder.askpassFile, askpassScript);
  await chmod(folder.askpassFile, 0o700);
}

async function removeRepositories(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.startsWith(repositoryPrefix)) {
      await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
