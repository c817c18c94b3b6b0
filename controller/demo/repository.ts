/** The demo's Git repository: a bare one that the controller polls, and a clone in which it commits. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DemoRepository {
  /** What `headgate serve --repo` takes. */
  readonly bare: string;
  /** Where a person edits and commits. */
  readonly clone: string;
  /** Writes `files`, commits and pushes; the result is the commit's id. */
  commit(message: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Reverts the newest commit and pushes. */
  revert(): Promise<string>;
}

/** Git as nobody's configuration can change it: no hooks, no signing, no names of the person here. */
const environment = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@headgate.invalid',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@headgate.invalid',
};

/** Makes both repositories in `folder`, which exists and is empty. */
export async function createRepository(folder: string): Promise<DemoRepository> {
  const bare = join(folder, 'mesh.git');
  const clone = join(folder, 'mesh');
  await mkdir(bare, { recursive: true });
  await git(bare, 'init', '--quiet', '--bare', '--initial-branch=main');
  await git(folder, 'init', '--quiet', '--initial-branch=main', clone);
  await git(clone, 'remote', 'add', 'origin', bare);
  return {
    bare,
    clone,
    commit: async (message, files) => {
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(clone, name), content);
      }
      await git(clone, 'add', '--all');
      await git(clone, 'commit', '--quiet', '--message', message);
      return push(clone);
    },
    revert: async () => {
      await git(clone, 'revert', '--no-edit', 'HEAD');
      return push(clone);
    },
  };
}

async function push(clone: string): Promise<string> {
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  return (await git(clone, 'rev-parse', 'HEAD')).trim();
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', [...args], { cwd: folder, env: environment });
  return stdout;
}
