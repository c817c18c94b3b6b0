/**
 * The image, as far as it can be tested where there is no engine to build it: a linter's word, what the
 * image promises (nobody's user, health, exec form), that what it copies is there, and that the program
 * lives as a hardened container has it: without rights, on a root that cannot be written.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import ignore from 'ignore';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';
import { until } from '../support/until.js';

const image = suite('the image');

const text = readFileSync(projectPath('Dockerfile'), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** By stage, in order: continued lines joined, comments dropped. */
const stages = text
  .replace(/^\s*#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split(/^FROM .*$/m)
  .slice(1)
  .map((stage) =>
    [...stage.matchAll(/^(\S+)\s+(.*)$/gm)].map(
      ([, name = '', rest = '']): Instruction => ({ name, rest }),
    ),
  );

const final = stages.at(-1) ?? [];

function only(name: string): string {
  const found = final.filter((instruction) => instruction.name === name);
  assert.is(found.length, 1, `${found.length} times ${name}`);
  return found[0]?.rest ?? '';
}

image('the linter finds nothing', () => {
  const problems = validate(text).map(
    ({ message, range }) => `${range.start.line + 1}: ${message}`,
  );
  assert.equal(problems, []);
});

image('runs as nobody special, says its health, and takes signals itself', () => {
  assert.is(only('USER'), 'node');
  assert.match(
    only('HEALTHCHECK'),
    /--interval=\d+s .* CMD \["node", ".*main\.js", "healthcheck"\]/,
  );
  assert.equal(JSON.parse(only('ENTRYPOINT')).slice(0, 2), ['tini', '--']);
  assert.equal(JSON.parse(only('CMD')), ['serve']);
  assert.is(only('STOPSIGNAL'), 'SIGTERM');
  assert.is(only('VOLUME'), only('WORKDIR'));
  const user = final.findIndex(({ name }) => name === 'USER');
  const writing = final.slice(user).filter(({ name }) => ['RUN', 'COPY', 'ADD'].includes(name));
  assert.equal(writing, [], 'what the user runs is not the user’s to change');
  assert.not.ok(
    stages.flat().some(({ name }) => name === 'ADD'),
    'ADD fetches and unpacks',
  );
});

image('all that is copied is in the checkout and passes .dockerignore', () => {
  const ignored = ignore().add(readFileSync(projectPath('.dockerignore'), 'utf8'));
  const sources = (stages[0] ?? [])
    .filter(({ name }) => name === 'COPY')
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
  assert.ok(sources.length >= 5, sources.join());
  for (const source of sources) {
    assert.ok(existsSync(projectPath(source)), `${source} is not there`);
    assert.not.ok(ignored.ignores(source), `${source} is ignored`);
  }
});

image('what is copied from the build is what the package would have', () => {
  const { files } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as {
    files: string[];
  };
  const copied = final
    .filter(({ name }) => name === 'COPY')
    .map(({ rest }) => /--from=build \/src\/(\S+) \/opt\/headgate\/(\S+)/.exec(rest))
    .map((match) => {
      assert.is(match?.[1], match?.[2]);
      return match?.[1];
    });
  assert.ok(copied.includes('dist/controller') && files.includes('dist/controller'));
});

const canUnshare = isRoot() && succeeds('unshare', ['--mount', 'true']);

/** A shell that makes everything read-only but `$1`, and becomes nobody without any right. */
const hardened = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
`;

if (canUnshare) {
  image('serves without a right, on a root that cannot be written', async () => {
    // In the checkout's own filesystem, since a tmpfs of its own would stay writable.
    const data = mkdtempSync(join('/var/tmp', 'headgate-data-'));
    execFileSync('chmod', ['0777', data]);
    const child = spawn(
      'unshare',
      [
        ...['--mount', 'sh', '-c', hardened, 'sh', data],
        ...[process.execPath, projectPath('dist/controller/main.js'), 'serve'],
        ...['--repo', projectPath('mesh-repo-example'), '--log-format', 'json'],
        ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'],
      ],
      {
        cwd: data,
        env: { PATH: process.env.PATH, HEADGATE_STATE: join(data, 'headgate.db') },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    try {
      const url = await addressOf(child);
      await until('it is ready', async () => (await fetch(`${url}/readyz`)).status === 200);
      const rights = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      assert.match(rights, /^Uid:\s+65534/m);
      assert.match(rights, /^CapBnd:\s+0+$/m);
      assert.match(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8'), / \/ \/ ro,/);
      assert.ok(existsSync(join(data, 'headgate.db')));
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(data, { recursive: true, force: true });
    }
  });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, [...args], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      log += more;
      const url = /"headgate\.started".*"http":"([^"]+)"/.exec(log)?.[1];
      if (url !== undefined) {
        resolve(url);
      }
    });
    child.once('exit', () => reject(new Error(`it ended:\n${log}`)));
  });
}

image.run();
