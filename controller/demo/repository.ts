/** The demo's Git repository: a bare one that the controller polls, and a clone in which it commits. */
import { execFile } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
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
  /** Moves the bare repository away, so that nobody can fetch from it or push to it, or back. */
  setReachable(isReachable: boolean): Promise<void>;
}

/** Something that was run, as a person would type it, and what it printed. */
export interface Ran {
  readonly command: string;
  readonly output: string;
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

/**
 * Makes both repositories in `folder`, which exists and is empty. `onRan` hears of what is run from then
 * on, in order.
 */
export async function createRepository(
  folder: string,
  onRan: (ran: Ran) => void = () => undefined,
): Promise<DemoRepository> {
  const bare = join(folder, 'mesh.git');
  const clone = join(folder, 'mesh');
  await mkdir(bare, { recursive: true });
  await git(bare, 'init', '--quiet', '--bare', '--initial-branch=main');
  await git(folder, 'init', '--quiet', '--initial-branch=main', clone);
  await git(clone, 'remote', 'add', 'origin', bare);
  await introduce(clone);
  const tell = async (...args: readonly string[]): Promise<string> => {
    const output = await git(clone, ...args);
    onRan({ command: `git ${args.map(quoted).join(' ')}`, output });
    return output;
  };
  const push = async (): Promise<string> => {
    await tell('push', '--quiet', 'origin', 'HEAD:main');
    return (await git(clone, 'rev-parse', 'HEAD')).trim();
  };
  return {
    bare,
    clone,
    commit: async (message, files) => {
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(clone, name), content);
      }
      const difference = await git(clone, 'diff', '--unified=0', '--no-color');
      if (difference !== '') {
        onRan({ command: 'git diff', output: changedLines(difference) });
      }
      await git(clone, 'add', '--all');
      await tell('commit', '--quiet', '--all', '--message', message);
      return push();
    },
    revert: async () => {
      await tell('revert', '--no-edit', 'HEAD');
      return push();
    },
    setReachable: async (isReachable) => {
      const away = `${bare}.away`;
      const [from, to] = isReachable ? [away, bare] : [bare, away];
      await rename(from, to);
      onRan({ command: `mv ${basename(from)} ${basename(to)}`, output: '' });
    },
  };
}

/** Lets a person commit who has not told Git a name yet; who has keeps theirs. */
async function introduce(clone: string): Promise<void> {
  const known = await run('git', ['var', 'GIT_AUTHOR_IDENT'], { cwd: clone }).catch(
    () => undefined,
  );
  if (known === undefined) {
    await git(clone, 'config', 'user.name', 'You');
    await git(clone, 'config', 'user.email', 'you@headgate.invalid');
  }
}

/** Of a difference only what came and went: where it is, the commit says. */
function changedLines(difference: string): string {
  return difference
    .split('\n')
    .filter((line) => /^[-+](?![-+])/.test(line))
    .map((line) => `${line.slice(0, 1)} ${line.slice(1).trimStart()}`)
    .join('\n');
}

/** As a shell reads it. */
function quoted(argument: string): string {
  return /^[\w:./=@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', [...args], { cwd: folder, env: environment });
  return stdout;
}
