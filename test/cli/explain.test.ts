/** `headgate explain` and `headgate render`: what is known of codes, fields and proxies, from files alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemTable } from '../../controller/decode/problems.js';
import { knownKinds } from '../../controller/decode/validate.js';
import { sourceProblemTitles } from '../../controller/git/problems.js';
import { projectPath } from '../support/project.js';
import { runHere } from './run-main.js';

const test = suite('headgate explain and render');

const run = (...args: readonly string[]) => runHere(args);
const example = projectPath('mesh-repo-example');

test('every code and every kind has a page, and the list names them all', async () => {
  const list = (await run('explain')).stdout;
  for (const code of [...Object.keys(problemTable), ...Object.keys(sourceProblemTitles)]) {
    const { code: exitCode, stdout } = await run('explain', code.toLowerCase());
    assert.is(exitCode, 0, code);
    assert.match(stdout, new RegExp(`^${code}  \\S`));
    assert.match(list, new RegExp(`^${code} +\\S`, 'm'));
  }
  for (const kind of knownKinds) {
    const { code, stdout } = await run('explain', kind);
    assert.is(code, 0, kind);
    assert.match(stdout, new RegExp(`^${kind} \\(mapping\\)\\n\\n\\S[\\s\\S]*\\nFIELD`));
  }
});

test('a field is explained through lists and references, and a refused one with its reason', async () => {
  const { stdout } = await run('explain', 'virtualrouter.spec.routes[0].httpRoute.retryPolicy');
  assert.match(stdout, /^VirtualRouter\.spec\.routes\.httpRoute\.retryPolicy \(mapping\)\n/);
  assert.match(stdout, /\nmaxRetries \* +integer +Retries after the first attempt/);
  assert.match(
    (await run('explain', 'VirtualNode.spec.podSelector')).stdout,
    /^VirtualNode\.spec\.podSelector\n\nNot taken: podSelector chose Kubernetes pods/,
  );
});

test('what is not known is 2, with the name that was meant', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['HG0499', /no problem with the code HG0499; did you mean HG04\d\d\?/],
    ['VirtualNde', /VirtualNde is no kind; did you mean VirtualNode\?/],
    [
      'VirtualNode.spec.listners',
      /listners is no field of VirtualNode\.spec; did you mean listeners\?/,
    ],
    ['.', /nothing is no kind/],
    ['VirtualNode/', /VirtualNode\/ is not of the form KIND\/NAME/],
    ['HG0401 -o json', /-o json is for resources/],
  ];
  for (const [what, expected] of cases) {
    const { code, stderr } = await run('explain', ...what.split(' '));
    assert.is(code, 2, what);
    assert.match(stderr, expected);
  }
});

test('render shows what a sidecar and a gateway are given, without a server', async () => {
  const sidecar = await run('render', 'mesh/shop/virtualNode/reviews-v1', example, '-o', 'json');
  assert.is(sidecar.code, 0, sidecar.stderr);
  const { listener, route, cluster } = JSON.parse(sidecar.stdout);
  assert.equal(Object.keys(listener), ['lds_egress_0.0.0.0_15001', 'lds_ingress_0.0.0.0_15000']);
  assert.ok('rds_ingress_http_9080' in route);
  assert.ok('cds_ingress_shop_reviews-v1_http_9080' in cluster);
  const gateway = await run('render', 'mesh/shop/virtualGateway/edge', example);
  assert.match(gateway.stdout, /^cluster:\n/);
});

test('render with addresses puts the listeners there', async () => {
  const addresses = ['--ingress', '127.0.0.1:9080', '--egress', '127.0.0.1:9001'];
  const { stdout } = await run(
    'render',
    'mesh/shop/virtualNode/reviews-v1',
    example,
    '-o',
    'json',
    ...addresses,
  );
  const names = Object.keys(JSON.parse(stdout).listener);
  assert.ok(names.includes('lds_ingress_127.0.0.1_9080'), names.join());
});

test('render of what is not there is an error with the name that was meant', async () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      'mesh/shop/virtualNode/wbe',
      1,
      /no VirtualNode in mesh shop with the name wbe; did you mean web\?/,
    ],
    ['mesh/shpo/virtualNode/web', 1, /no mesh with the name shpo; did you mean shop\?/],
    ['web', 2, /web is not of the form mesh\/MESH/],
  ];
  for (const [node, expectedCode, expected] of cases) {
    const { code, stderr } = await run('render', node, example);
    assert.is(code, expectedCode, node);
    assert.match(stderr, expected);
  }
});

test.run();
