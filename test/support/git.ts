/** Real Git repositories for tests: commits with fixed authors and times, pushed to a bare repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Content of a file; `{ link }` is a symbolic link to that target; null removes the file. */
export type TestFile = string | Uint8Array | { readonly link: string } | null;

export interface TestRepository {
  /** The bare repository that commits are pushed to. */
  readonly bare: string;
  /** The work tree that commits are made in. */
  readonly work: string;
  /** Writes `files`, commits everything in the work tree and pushes (with force); returns the id. */
  commit(files: Readonly<Record<string, TestFile>>, message?: string): string;
  /** As `commit` for thousands of files, of which none has to be written to disk. */
  commitMany(files: Readonly<Record<string, string>>, message?: string): string;
  /** Runs git in the work tree and returns what it prints, trimmed. */
  git(...args: readonly string[]): string;
  /** Pushes the work tree's HEAD to `branch` of the bare repository, with force. */
  push(branch?: string): void;
}

/** The environment of a git that no configuration of the machine or the user reaches. */
export const isolatedGitEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'Grace',
  GIT_COMMITTER_EMAIL: 'grace@example.com',
  GIT_COMMITTER_DATE: '1700000100 +0000',
};

/** Runs git in `folder` and returns what it prints, trimmed; throws with its error text. */
export function runGit(folder: string, ...args: readonly string[]): string {
  const options = { cwd: folder, env: isolatedGitEnvironment, encoding: 'utf8' } as const;
  return execFileSync('git', args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** Makes `mesh.git` and a work tree for it in `folder`, on branch `main`, without a commit. */
export function makeRepository(
  folder: string,
  { objectFormat = 'sha1' }: { readonly objectFormat?: 'sha1' | 'sha256' } = {},
): TestRepository {
  const bare = join(folder, 'mesh.git');
  const work = join(folder, 'work');
  const init = ['init', '--quiet', '--initial-branch=main', `--object-format=${objectFormat}`];
  mkdirSync(folder, { recursive: true });
  runGit(folder, ...init, '--bare', bare);
  runGit(folder, ...init, work);
  const git = (...args: readonly string[]): string => runGit(work, ...args);
  const push = (branch = 'main'): void => {
    git('push', '--quiet', '--force', bare, `HEAD:refs/heads/${branch}`);
  };
  return {
    bare,
    work,
    git,
    push,
    commitMany(files, message = 'change the mesh') {
      importCommit(bare, files, message);
      return runGit(bare, 'rev-parse', 'main');
    },
    commit(files, message = 'change the mesh') {
      writeFiles(work, files);
      git('add', '--all', '--force');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      push();
      return git('rev-parse', 'HEAD');
    },
  };
}

/** git-fast-import(1): one stream with the commit and the content of its files. */
function importCommit(
  bare: string,
  files: Readonly<Record<string, string>>,
  message: string,
): void {
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const who = 'Grace <grace@example.com> 1700000100 +0000';
  const changes = Object.entries(files).map(
    ([path, content]) => `M 100644 inline ${path}\n${data(content)}`,
  );
  const header = `commit refs/heads/main\ncommitter ${who}\n${data(message)}`;
  execFileSync('git', ['fast-import', '--quiet', '--force'], {
    cwd: bare,
    env: isolatedGitEnvironment,
    input: `${header}${changes.join('')}done\n`,
  });
}

/** Writes `files` below `folder`. */
export function writeFiles(folder: string, files: Readonly<Record<string, TestFile>>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    rmSync(target, { recursive: true, force: true });
    if (content === null) {
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'object' && 'link' in content) {
      symlinkSync(content.link, target);
    } else {
      writeFileSync(target, content);
    }
  }
}

/**
 * Puts a shell script in the place of the program `name` for every child that is started from now on;
 * `$REAL` in it is the program itself. The result puts the program back.
 */
export function replaceProgram(folder: string, name: string, script: string): () => void {
  const path = process.env.PATH ?? '';
  const real = execFileSync('/bin/sh', ['-c', `command -v ${name} || true`], { encoding: 'utf8' });
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, name), `#!/bin/sh\nREAL=${real.trim()}\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${bin}${delimiter}${path}`;
  return () => {
    process.env.PATH = path;
  };
}
