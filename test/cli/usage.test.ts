/** The command line's manners: help, mistakes and their exit codes, colours, pipes, and what it loads. */
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wantsColor } from '../../controller/cli/io.js';
import { nodeAdvice } from '../../controller/cli/node-version.js';
import { flagOf, settingNames } from '../../controller/config/table.js';
import { projectPath } from '../support/project.js';
import { runHere, runMain, startMain } from './run-main.js';

const usage = suite('command line');

const run = (...args: readonly string[]) => runHere(args);

const commands = [
  ...['validate', 'plan', 'comment', 'import', 'explain', 'render', 'serve', 'healthcheck', 'demo'],
  ...['check', 'completion', 'status', 'rollouts', 'proxies'],
  ...['history', 'pause', 'resume', 'promote', 'abort', 'retry', 'approve', 'bootstrap'],
];

usage(
  'help names every command of the contract, begins with examples and ends with exit codes',
  async () => {
    const { code, stdout, stderr } = await runMain(['--help']);
    assert.is(code, 0);
    assert.is(stderr, '');
    assert.match(stdout, /^Examples:\n {2}headgate demo\n/);
    assert.match(stdout, /Exit codes:\n {2}0 {2}done\n.*\n {2}2 .*\n$/);
    for (const command of commands) {
      assert.match(stdout, new RegExp(`^ {2}${command}[ |]`, 'm'));
    }
  },
);

for (const command of commands) {
  usage(`${command} --help has examples, sentences and exit codes`, async () => {
    const { code, stdout } = await run(command, '--help');
    assert.is(code, 0);
    assert.match(stdout, new RegExp(`^Examples:\\n {2}.*headgate ${command}`));
    assert.match(stdout, /\nExit codes:\n {2}0 {2}/);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?--[\w-]+(?: <[^>]+>)? {2,}(.*)/gm)];
    assert.ok(options.length >= 1);
    for (const [line] of options) {
      assert.match(line, /^ {2}\S+(?:, --\w+)?(?: <[^>]+>)? +[A-Z]/, 'begins with a capital');
    }
  });
}

usage('serve has a flag for every setting', async () => {
  const { stdout } = await run('serve', '--help');
  for (const name of settingNames) {
    assert.match(stdout, `  ${flagOf(name)} `);
  }
});

usage('the program can be started by its name, as npx does', () => {
  assert.ok((statSync(projectPath('dist/controller/main.js')).mode & 0o111) !== 0);
});

usage('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8'));
  assert.equal(await run('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
});

usage('a mistake in the environment is named, as 2', async () => {
  const { code, stdout, stderr } = await runHere(['status'], { HEADGATE_SERVER: 'nowhere' });
  assert.is(code, 2);
  assert.is(stdout, '');
  assert.match(stderr, /HEADGATE_SERVER is nowhere: It must be an http or https URL/);
});

usage('a mistake is 2, said on stderr, with the name that was meant', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['plna'], /unknown command 'plna'\n\(Did you mean plan\?\)/],
    [['rollback', 'reviews-3'], /'rollback'\n\(Did you mean `headgate abort ROLLOUT`\?\)/],
    [['watch'], /Did you mean `headgate status --watch`\?/],
    [['plan', '--form', 'x'], /unknown option '--form'\n\(Did you mean --from\?\)/],
    [['status', '-o', 'xml'], /Allowed choices are table, wide, json, yaml, name/],
    [['status', '--server', 'localhost:8080'], /must be an http or https URL/],
    [['status', '--server', 'http://u:p@localhost'], /without a password/],
    [['pause'], /missing required argument 'rollout'/],
    [['pause', 'a', 'b'], /too many arguments/],
    [['validate'], /missing required argument 'dir'/],
    [['validate', '/nonexistent/mesh'], /\/nonexistent\/mesh/],
    [['plan'], /name either DIR or --repo/],
    [['plan', '.', '--repo', '.'], /name either DIR or --repo/],
    [['plan', '--repo', '.', '--from', 'a'], /--repo, --from and --to belong together/],
    [['history', '--limit', '0'], /number from 1 to 500/],
    [['bootstrap', 'mesh/shop/virtualNode/a'], /required option '--xds/],
    [['bootstrap', 'shop/a', '--xds', '127.0.0.1:1'], /is not of the form mesh\/MESH/],
    [['bootstrap', 'mesh/s/virtualNode/a', '--xds', '127.0.0.1'], /must be HOST:PORT/],
    [
      ['bootstrap', 'mesh/s/virtualNode/a', '--xds', 'x:1', '--egress', 'localhost:1'],
      /must be an IP address/,
    ],
    [
      ['bootstrap', 'mesh/s/virtualNode/a', '--xds', 'x:1', '--announce', '0.0.0.0'],
      /must be the IP address of one machine/,
    ],
    [
      ['bootstrap', 'mesh/s/virtualNode/a', '--xds', 'x:1', '--announce', 'cart.internal'],
      /must be the IP address of one machine/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await run(...args);
    assert.is(code, 2, args.join(' '));
    assert.is(stdout, '', args.join(' '));
    assert.match(stderr, expected);
    assert.not.match(stderr, /at .*\.js:\d/);
  }
});

usage('no command at all is a mistake, with the help', async () => {
  const { code, stdout, stderr } = await run();
  assert.is(code, 2);
  assert.is(stdout, '');
  assert.match(stderr, /^Examples:/);
});

usage('with --detailed-exitcode a mistake is 1, since 2 means changes', async () => {
  assert.is((await run('plan', '--detailed-exitcode')).code, 1);
  assert.is((await run('plan', '--detailed-exitcode', '--form', 'x')).code, 1);
  assert.is((await run('plan', '/nonexistent', '--detailed-exitcode')).code, 1);
});

/** An address of this machine where nothing listens any more. */
async function deadServer(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

usage('a controller that is not there is 1, with what to do', async () => {
  const dead = await deadServer();
  for (const args of [
    ['status'],
    ['rollouts', 'x'],
    ['pause', 'x'],
    ['history'],
    ['healthcheck'],
  ]) {
    const { code, stdout, stderr } = await run(...args, '--server', dead);
    assert.is(code, 1);
    assert.is(stdout, '');
    assert.match(stderr, `cannot reach the controller at ${dead}: connect ECONNREFUSED`);
    assert.match(stderr, 'Name it with --server or HEADGATE_SERVER');
  }
});

usage('what answers without JSON is no controller', async () => {
  const server = createHttpServer((_request, response) => response.end('<html>')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await run('status', '--server', `http://127.0.0.1:${port}`);
  server.close();
  server.closeAllConnections();
  assert.is(code, 1);
  assert.match(stderr, /is no Headgate controller: it answered 200 without JSON/);
});

usage(
  'HEADGATE_SERVER names the controller, the flag wins, and a wrong one is a mistake',
  async () => {
    const dead = await deadServer();
    const env = { HEADGATE_SERVER: dead };
    assert.match((await runMain(['status'], { env })).stderr, `at ${dead}:`);
    const other = await deadServer();
    const flag = await runMain(['status', '--server', other], { env });
    assert.match(flag.stderr, `at ${other}:`);
    const wrong = await runMain(['status'], { env: { HEADGATE_SERVER: 'ftp://x' } });
    assert.is(wrong.code, 2);
    assert.not.match(wrong.stderr, /at .*\.js:\d/);
  },
);

usage('colours follow the stream, unless a person says otherwise', () => {
  const terminal = { isTTY: true };
  const pipe = {};
  assert.is(wantsColor({}, terminal), true);
  assert.is(wantsColor({}, pipe), false);
  assert.is(wantsColor({ NO_COLOR: '1' }, terminal), false);
  assert.is(wantsColor({ NO_COLOR: '' }, terminal), true, 'an empty NO_COLOR says nothing');
  assert.is(wantsColor({ TERM: 'dumb' }, terminal), false);
  assert.is(wantsColor({ FORCE_COLOR: '1' }, pipe), true);
  assert.is(wantsColor({ FORCE_COLOR: '1', NO_COLOR: '1' }, pipe), true);
  assert.is(wantsColor({ FORCE_COLOR: '0' }, terminal), false);
  assert.is(wantsColor({ CI: 'true' }, pipe), false, 'a CI log is a file');
});

usage('FORCE_COLOR colours what a command says, nothing else does off a terminal', async () => {
  const plain = await runMain(['validate', '/nonexistent']);
  const forced = await runMain(['validate', '/nonexistent'], { env: { FORCE_COLOR: '1' } });
  assert.not(plain.stderr.includes('\u001b['));
  assert.ok(forced.stderr.includes('\u001b[31m'));
});

usage('a reader that leaves early is no error', async () => {
  const child = startMain(['--help']);
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = await once(child, 'close');
  assert.is(code, 0);
  assert.is(stderr, '');
});

usage('light commands load no server, no database and no schema compiler', async () => {
  const trace = (loaded: string) => new RegExp(`node_modules/${loaded}/`);
  const heavy = ['@grpc/grpc-js', 'express', 'pino', 'better-sqlite3', 'prom-client', 'protobufjs'];
  const debug = { NODE_DEBUG: 'module,esm', NODE_OPTIONS: '--no-warnings' };
  const help = await runMain(['--help'], { env: debug });
  const validate = await runMain(['validate', projectPath('mesh-repo-example')], { env: debug });
  assert.is(validate.code, 0, validate.stderr.slice(-300));
  for (const name of heavy) {
    assert.not.match(help.stderr, trace(name));
    assert.not.match(validate.stderr, trace(name));
  }
  assert.not.match(help.stderr, trace('ajv'));
  assert.match(validate.stderr, trace('ajv'), 'the trace shows what is loaded');
});

usage('Node lines without security fixes are named', () => {
  assert.match(nodeAdvice('20.19.0') ?? '', /gets no security fixes any more; use Node 24/);
  assert.match(nodeAdvice('23.11.1') ?? '', /gets no security fixes/);
  assert.match(nodeAdvice('22.23.3') ?? '', /use 22\.23\.4 or newer/);
  assert.match(nodeAdvice('24.9.9') ?? '', /use 24\.22\.1 or newer/);
  assert.is(nodeAdvice('22.23.4'), undefined);
  assert.is(nodeAdvice('24.23.0'), undefined);
  assert.is(nodeAdvice('28.0.0'), undefined);
});

usage.run();
