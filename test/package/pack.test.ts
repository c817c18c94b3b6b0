/**
 * The package as its users get it: packed, installed from the archive into an empty folder without
 * running anything, and then run, on each Node that is there: this one, and those of `HEADGATE_NODES`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programVersion } from '../../controller/version.js';
import { projectPath } from '../support/project.js';

interface Context {
  /** With the package in its node_modules. */
  folder: string;
  /** Paths in the archive. */
  files: readonly string[];
}

const run = promisify(execFile);
const pack = suite<Context>('the package');

/** Folders with a `node` in them. */
const nodes = (process.env.HEADGATE_NODES ?? '').split(delimiter).filter((path) => path !== '');

pack.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-pack-'));
  context.folder = folder;
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const packed = await run('npm', ['pack', ...options], { cwd: projectPath('.') });
  const [archive] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  context.files = archive.files.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), '{}');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
  await run(
    'npm',
    ['install', '--ignore-scripts', '--omit=optional', ...quiet, `./${archive.filename}`],
    { cwd: folder },
  );
});

pack.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

pack('has the program, its pages and its schemas, and nothing of the tests', ({ files }) => {
  for (const path of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'dist/controller/main.js',
    'dist/controller/dashboard/index.html',
    'dist/controller/dashboard/licences.md',
    'dist/controller/demo-page/index.html',
    'schemas/virtual-node.schema.json',
  ]) {
    assert.ok(files.includes(path), `${path} is missing`);
  }
  const unwanted = files.filter((path) =>
    /^(?!dist\/controller|schemas)\w+\/|\.map$|\.ts$/.test(path),
  );
  assert.equal(unwanted, []);
});

pack('brings no program of its own along that had to be compiled', ({ folder }) => {
  const compiled = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.node'),
  );
  assert.equal(compiled, []);
});

for (const node of [undefined, ...nodes]) {
  const label = node === undefined ? 'this Node' : node.replace(/^.*\/(node-\d+)\/.*$/, '$1');

  pack(`${label}: says its version, and validates what is right and wrong`, async ({ folder }) => {
    const { stdout } = await npx(folder, node, ['--version']);
    assert.is(stdout.trim(), programVersion());
    const example = projectPath('mesh-repo-example');
    assert.is((await npx(folder, node, ['validate', example])).stdout, '');
    const wrong = join(folder, 'wrong');
    mkdirSync(wrong, { recursive: true });
    writeFileSync(join(wrong, 'mesh.yaml'), 'apiVersion: headgate/v1\nkind: Mash\n');
    const failure = await npx(folder, node, ['validate', wrong]).catch((error: unknown) => error);
    assert.match(
      String((failure as { stdout: string }).stdout),
      /mesh\.yaml:\d+:\d+: error HG\d+ .*Mash/,
    );
  });

  pack(`${label}: serves the mesh, the dashboard and nothing of the demo`, async ({ folder }) => {
    if (node === undefined && !(await hasSqlite())) {
      // Node 20 needs better-sqlite3, which an installation without scripts cannot have; it says so.
      const child = serve(folder, node);
      const words = await textOf(child);
      assert.match(words, /better-sqlite3/);
      return;
    }
    const child = serve(folder, node);
    try {
      const url = await addressOf(child);
      assert.is((await fetch(`${url}/livez`)).status, 200);
      assert.match(await (await fetch(url)).text(), '<title>Headgate</title>');
      assert.is((await fetch(`${url}/demo`)).status, 404);
      assert.is((await fetch(`${url}/api/demo/events`)).status, 404);
    } finally {
      child.kill('SIGTERM');
    }
    const [code] = await once(child, 'exit');
    assert.is(code, 0);
  });
}

async function hasSqlite(): Promise<boolean> {
  return import('node:sqlite').then(
    () => true,
    () => false,
  );
}

/** As a shell with `node` first on its PATH runs `npx headgate`. */
function environment(node: string | undefined): NodeJS.ProcessEnv {
  const { PATH = '', HOME } = process.env;
  return { HOME, PATH: node === undefined ? PATH : `${node}${delimiter}${PATH}` };
}

function npx(folder: string, node: string | undefined, args: readonly string[]) {
  return run(join(folder, 'node_modules/.bin/headgate'), [...args], {
    cwd: folder,
    env: environment(node),
  });
}

function serve(folder: string, node: string | undefined): ChildProcess {
  const state = mkdtempSync(join(folder, 'state-'));
  const free = ['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0', '--log-format', 'json'];
  return spawn(
    join(folder, 'node_modules/.bin/headgate'),
    ['serve', '--repo', projectPath('mesh-repo-example'), '--state', join(state, 'db'), ...free],
    { cwd: folder, env: environment(node), stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child, 'close');
  return text;
}

/** Where it serves, from its log. Throws with the log where it ends instead. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const url = /"headgate\.started".*"http":"([^"]+)"/.exec(text)?.[1];
      if (url !== undefined) {
        resolve(url);
      }
    });
    child.once('exit', () => reject(new Error(`it ended:\n${text}`)));
  });
}

pack.run();
