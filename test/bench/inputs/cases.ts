/** Bad inputs and large ones, each for a process of its own: what comes of it, in one line. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { renderProblem } from '../../../controller/base/problem.js';
import { onlyRepository, type Revision } from '../../../controller/base/revision.js';
import { Decoder } from '../../../controller/decoder.js';
import { createGitSource } from '../../../controller/git/git-source.js';
import { runApi } from '../../api/running-api.js';
import {
  isolatedGitEnvironment,
  makeRepository,
  runGit,
  type TestFile,
} from '../../support/git.js';
import { revisionOf, startSource } from '../../support/source.js';

export interface InputCase {
  readonly name: string;
  /** Does it in an empty `folder` and says what came of it. */
  readonly run: (folder: string) => Promise<string>;
}

const header = 'apiVersion: headgate/v1\nkind:';
const mesh = `${header} Mesh\nmetadata: { name: shop }\nspec: {}\n`;
const node = (name: string) => `${header} VirtualNode\nmetadata: { name: ${name} }\nspec: {}\n`;
const bombLine = (level: number) =>
  `a${level}: &a${level} [${
    level === 0
      ? 'x'
      : Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')
  }]\n`;

/** A commit of a mesh and `files`, read and decoded as the controller does. */
function committed(name: string, files: Readonly<Record<string, TestFile>>): InputCase {
  return {
    name,
    run: async (folder) => {
      const repository = makeRepository(folder);
      repository.commit({ 'mesh.yaml': mesh, ...files });
      return judge(await read(folder, repository.bare));
    },
  };
}

/** A setting that is refused before anything is started. */
function refused(
  name: string,
  settings: { readonly repo: string; readonly branch?: string },
): InputCase {
  return {
    name,
    run: async (folder) => {
      try {
        startSource((deps) =>
          createGitSource(
            {
              branch: 'main',
              path: '.',
              pollMs: 60_000,
              cacheFolder: join(folder, 'c'),
              ...settings,
            },
            deps,
          ),
        );
        return 'taken';
      } catch (error) {
        return `refused: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
  };
}

function posted(
  name: string,
  body: Uint8Array | string,
  headers: Record<string, string>,
): InputCase {
  return {
    name,
    run: async () => {
      const api = await runApi();
      const url = `${api.url}/api/v1/hooks/github`;
      const answer = await fetch(url, { method: 'POST', body, headers })
        .then(async (response) => `${response.status} ${(await response.text()).slice(0, 60)}`)
        .catch(() => 'connection closed');
      const polls = api.polls.length;
      await api.stop();
      return `${answer}; ${polls} polls`;
    },
  };
}

/** `onRead` is called while the fetched objects are still there. */
async function read(folder: string, repo: string, onRead?: () => void): Promise<Revision> {
  const source = startSource((deps) =>
    createGitSource(
      { repo, branch: 'main', path: '.', pollMs: 60_000, cacheFolder: join(folder, 'cache') },
      deps,
    ),
  );
  const revision = revisionOf(await source.next());
  onRead?.();
  await source.stop();
  return revision;
}

async function judge(attempted: Revision): Promise<string> {
  const decoder = new Decoder([]);
  const { meshes, verdicts } = await decoder.load([{ name: onlyRepository, attempted }]);
  await decoder.stop();
  const [first, ...more] = verdicts.get(onlyRepository)?.problems ?? [];
  if (meshes !== undefined) {
    return `accepted: ${meshes.map(({ name }) => name).join()}`;
  }
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `rejected: ${first === undefined ? '' : renderProblem(first)}${rest}`;
}

const many: InputCase = {
  name: '10,000 files',
  run: async (folder) => {
    const repository = makeRepository(folder);
    const nodes = Array.from({ length: 9_999 }, (_, n) => [
      `t${n % 100}/n${n}.yaml`,
      node(`n${n}`),
    ]);
    repository.commitMany({ 'mesh.yaml': mesh, ...Object.fromEntries(nodes) });
    const startedMs = performance.now();
    const revision = await read(folder, repository.bare);
    const readMs = performance.now();
    let worstMs = 0;
    let lastMs = readMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      worstMs = Math.max(worstMs, nowMs - lastMs - 5);
      lastMs = nowMs;
    }, 5);
    const verdict = await judge(revision);
    clearInterval(timer);
    const took = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    return (
      `${verdict}; read in ${took(readMs - startedMs)}, decoded in ${took(performance.now() - readMs)}, ` +
      `main thread held up at most ${Math.round(worstMs)} ms`
    );
  },
};

const history: InputCase = {
  name: 'a repository with 100,000 commits',
  run: async (folder) => {
    const repository = makeRepository(folder);
    const commits = Array.from({ length: 100_000 }, (_, index) => {
      const text = index === 99_999 ? mesh : `${node(`n${index}`)}`;
      return (
        `commit refs/heads/main\ncommitter a <a@b> ${1_700_000_000 + index} +0000\ndata 1\nx\n` +
        `M 100644 inline ${index === 99_999 ? 'mesh' : `n${index % 50}`}.yaml\n` +
        `data ${Buffer.byteLength(text)}\n${text}\n`
      );
    });
    execFileSync('git', ['fast-import', '--quiet'], {
      cwd: repository.bare,
      env: isolatedGitEnvironment,
      input: commits.join(''),
    });
    const startedMs = performance.now();
    let cache = 0;
    let tookMs = 0;
    const revision = await read(folder, `file://${repository.bare}`, () => {
      tookMs = performance.now() - startedMs;
      cache = folderBytes(join(folder, 'cache'));
    });
    const whole = folderBytes(repository.bare);
    return (
      `${await judge(revision)}; first read in ${(tookMs / 1000).toFixed(1)} s; ` +
      `${(whole / 2 ** 20).toFixed(0)} MiB on the server (${count(repository.bare)} commits), ` +
      `${Math.round(cache / 1024)} KiB in the cache`
    );
  },
};

function count(bare: string): string {
  return runGit(bare, 'rev-list', '--count', 'main');
}

function folderBytes(folder: string): number {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(folder, path)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

const crlf = mesh.replaceAll('\n', '\r\n');

export const inputCases: readonly InputCase[] = [
  committed('nothing special, to compare with', {}),
  posted('a push webhook that is no JSON', '{"ref":', {}),
  posted('a push webhook with a wrong signature', '{}', { 'X-Hub-Signature-256': 'sha256=00' }),
  posted('a push webhook of 50 MB', new Uint8Array(50 * 2 ** 20), {}),
  committed('an alias bomb of nine levels', {
    'a.yaml': Array.from({ length: 9 }, (_, level) => bombLine(level)).join(''),
  }),
  committed('a merge bomb', {
    'a.yaml': `a: &a { ${Array.from({ length: 2000 }, (_, n) => `k${n}: 1`).join(', ')} }\nb:\n${'  <<: *a\n'.repeat(2000)}`,
  }),
  committed('10,000 brackets inside one another', { 'a.yaml': '['.repeat(10_000) }),
  many,
  history,
  committed('a file of 1 MiB and a byte', { 'a.yaml': `${mesh}#${'x'.repeat(2 ** 20)}` }),
  committed('a binary file', {
    'a.yaml': Buffer.from(Array.from({ length: 4096 }, (_, n) => n % 256)),
  }),
  committed('bytes that are no UTF-8', { 'a.yaml': Buffer.from('name: caf\xe9\n', 'latin1') }),
  committed('UTF-16', { 'a.yaml': Buffer.from(`\ufeff${node('n')}`, 'utf16le') }),
  committed('CR LF', { 'mesh.yaml': crlf }),
  committed('a byte order mark', { 'mesh.yaml': `\ufeff${mesh}` }),
  committed('a link out of the tree', { 'a.yaml': { link: '/etc/passwd' } }),
  committed('a name with control characters', { 'a\u001b[31m\n.yaml': node('n') }),
  committed('keys called __proto__', {
    'a.yaml': `${header} VirtualNode\nmetadata: { name: n, __proto__: { polluted: true } }\nspec: {}\n`,
  }),
  refused('branch --upload-pack=…', { repo: '/nonexistent', branch: '--upload-pack=touch /tmp/x' }),
  refused('URL --upload-pack=…', { repo: '--upload-pack=touch /tmp/x' }),
  refused('URL ext::…', { repo: 'ext::sh -c touch% /tmp/x' }),
  refused('URL ssh://-oProxyCommand=…', { repo: 'ssh://-oProxyCommand=touch/x' }),
];
