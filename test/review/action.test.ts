/**
 * What CI runs, run: the steps of the GitHub Action and the script of the GitLab template, in bash, on a real
 * repository, against servers that keep comments. Two pushes leave one comment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { checkout, meshFiles } from '../../controller/demo/mesh-files.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { projectPath } from '../support/project.js';
import { type Comment, vendors, withServer } from './comment-server.js';

type Env = Readonly<Record<string, string>>;

interface Context {
  folder: string;
  repository: TestRepository;
  /** The environment of every step: a PATH on which `npx` is this program. */
  env: Env;
}

const test = suite<Context>('what CI runs');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-ci-'));
  context.repository = makeRepository(join(context.folder, 'repository'));
  const files = meshFiles({
    checkout: { v1: 9001, v2: 9002, v3: 9003 },
    app: { v1: 8001, v2: 8002, v3: 8003 },
  });
  context.repository.commit(inMesh(files), 'first');
  context.repository.git('tag', 'base');
  const bin = join(context.folder, 'bin');
  mkdirSync(bin);
  const npx = join(bin, 'npx');
  // `npx --yes PACKAGE COMMAND…`
  writeFileSync(
    npx,
    `#!/bin/sh\nshift 2\nexec "${process.execPath}" "${projectPath('dist/controller/main.js')}" "$@"\n`,
  );
  chmodSync(npx, 0o755);
  context.env = { PATH: `${bin}${delimiter}${process.env.PATH}`, RUNNER_TEMP: context.folder };
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function inMesh(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`mesh/${name}`, text]));
}

async function bash(script: string, cwd: string, env: Env) {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exitCode === null ? once(child, 'close') : undefined,
  ]);
  return { code: child.exitCode, stdout, stderr };
}

interface Step {
  readonly id?: string;
  readonly env: Env;
  readonly run: string;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

/** Runs the steps of the action until one fails; the result is the last exit code and all that was said. */
async function runAction(context: Context, apiUrl: string) {
  const { folder, repository } = context;
  const text = readFileSync(projectPath('.github/actions/plan/action.yml'), 'utf8');
  const { inputs, runs } = parse(text) as Action;
  const event = join(folder, 'event.json');
  const output = join(folder, 'output');
  writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
  writeFileSync(output, '');
  const values = new Map<string, string>([
    ...Object.entries(inputs).map(([name, input]) => [`inputs.${name}`, input.default] as const),
    ['inputs.directory', 'mesh'] as const,
    ['inputs.token', 's3cret'] as const,
    ['github.event.pull_request.base.sha', repository.git('rev-parse', 'base')] as const,
  ]);
  let said = '';
  for (const { env, run } of runs.steps) {
    for (const line of readFileSync(output, 'utf8').split('\n')) {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
      values.set(`steps.plan.outputs.${name}`, value);
    }
    const own = Object.entries(env).map(([name, value]) => [name, resolve(value, values)] as const);
    const result = await bash(run, repository.work, {
      ...context.env,
      GITHUB_API_URL: apiUrl,
      GITHUB_REPOSITORY: 'team/mesh',
      GITHUB_EVENT_PATH: event,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
      ...Object.fromEntries(own),
    });
    said += result.stdout + result.stderr;
    if (result.code !== 0) {
      return { code: result.code, said, outputs: readFileSync(output, 'utf8') };
    }
  }
  return { code: 0, said, outputs: readFileSync(output, 'utf8') };
}

/** `${{ a || b }}`: the first that is not empty. */
function resolve(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{\{ (.*?) \}\}/g, (_, names: string) => {
    const found = names.split(' || ').map((name) => values.get(name) ?? '');
    return found.find((value) => value !== '') ?? '';
  });
}

const [github, gitlab] = vendors;

test('the GitHub Action keeps one comment through two pushes', async (context) => {
  const { repository, folder } = context;
  const comments: Comment[] = [];
  await withServer(github as (typeof vendors)[number], comments, async ({ apiUrl }) => {
    repository.commit({ 'mesh/checkout.yaml': checkout('v2') }, 'release v2');
    const first = await runAction(context, apiUrl);
    assert.is(first.code, 0, first.said);
    assert.match(first.outputs, /^changes=true$/m);
    assert.match(comments[0]?.body ?? '', /0 to create, 1 to change, 0 to delete/);
    repository.commit({ 'mesh/checkout.yaml': checkout('v1') }, 'not yet');
    const second = await runAction(context, apiUrl);
    assert.is(second.code, 0, second.said);
    assert.match(second.outputs, /^changes=false$/m);
    assert.is(comments.length, 1);
    assert.match(comments[0]?.body ?? '', /### Headgate: no changes/);
    assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /1 to change[\s\S]*no changes/);
  });
});

test('the GitHub Action fails on an error, with an annotation at its line', async (context) => {
  const wrong = checkout('v1').replace('checkout-v1', 'checkout-v9');
  context.repository.commit({ 'mesh/checkout.yaml': wrong }, 'broken');
  const { code, said } = await runAction(context, 'http://127.0.0.1:1');
  assert.is(code, 1);
  assert.match(said, /^::error file=mesh\/checkout\.yaml,line=\d+,col=\d+,title=HG\d{4}::/m);
});

test('the GitHub Action does not fail where the token may not write', async (context) => {
  context.repository.commit({ 'mesh/checkout.yaml': checkout('v2') }, 'release v2');
  const { code, said } = await runAction(context, 'http://127.0.0.1:1');
  assert.is(code, 0, said);
  assert.match(said, /^::warning::the plan could not be written as a comment/m);
});

test('the GitLab template plans, comments and leaves its reports', async (context) => {
  const { repository, env } = context;
  const template = parse(
    readFileSync(projectPath('ci/headgate.gitlab-ci.yml'), 'utf8'),
  ) as Readonly<Record<string, { readonly script: readonly string[] } & Env>>;
  repository.commit({ 'mesh/checkout.yaml': checkout('v2') }, 'release v2');
  const comments: Comment[] = [];
  await withServer(
    gitlab as (typeof vendors)[number],
    comments,
    async ({ apiUrl, repository: id }) => {
      const variables: Env = {
        ...env,
        ...(template.variables as Env),
        HEADGATE_DIRECTORY: 'mesh',
        GITLAB_CI: 'true',
        CI_API_V4_URL: apiUrl,
        CI_PROJECT_ID: id,
        CI_MERGE_REQUEST_IID: '7',
        CI_MERGE_REQUEST_DIFF_BASE_SHA: repository.git('rev-parse', 'base'),
        HEADGATE_GITLAB_TOKEN: 's3cret',
      };
      for (const job of ['headgate:validate', 'headgate:plan']) {
        const script = template[job]?.script.join('\n') ?? '';
        const { code, stdout, stderr } = await bash(script, repository.work, variables);
        assert.is(code, 0, `${job}: ${stdout}${stderr}`);
      }
    },
  );
  assert.is(comments.length, 1);
  assert.match(comments[0]?.body ?? '', /1 to change/);
  const report = readFileSync(join(repository.work, 'gl-code-quality-report.json'), 'utf8');
  assert.equal(JSON.parse(report), []);
  const junit = readFileSync(join(repository.work, 'headgate-junit.xml'), 'utf8');
  assert.match(junit, /<testcase classname="mesh" name="mesh\/checkout\.yaml"/);
});

test('the pre-commit hook runs a command that there is', async (context) => {
  const [hook] = parse(readFileSync(projectPath('.pre-commit-hooks.yaml'), 'utf8')) as readonly {
    readonly entry: string;
    readonly pass_filenames: boolean;
  }[];
  assert.is(hook?.pass_filenames, false);
  const command = `npx --yes ${hook?.entry} mesh`;
  const { code, stderr } = await bash(command, context.repository.work, context.env);
  assert.is(code, 0, stderr);
});

test.run();
