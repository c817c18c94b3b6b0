/**
 * Input that is made to break a parser: each is refused with a problem, in bounded time, and the process
 * lives. Each is parsed over and over, since the known abort of Node 20 came with the second time.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../controller/base/problem.js';
import { loadMeshes, problemsMax } from '../../controller/decode/load-meshes.js';
import { revisionOf } from '../support/revision.js';

const test = suite('limits of mesh files');

/** The source hands on no larger file. */
const fileBytesMax = 1024 * 1024;

const mesh = 'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }\n';

function problemsOf(text: string | Uint8Array): readonly Problem[] {
  return loadMeshes(revisionOf({ 'bomb.yaml': text, 'mesh.yaml': mesh })).problems;
}

/** Milliseconds that `work` takes. */
function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

const nests: Readonly<Record<string, (depth: number) => string>> = {
  'open brackets': (depth) => '['.repeat(depth),
  'closed brackets': (depth) => '['.repeat(depth) + ']'.repeat(depth),
  'open braces': (depth) => '{a: '.repeat(depth),
  'block mappings': (depth) =>
    Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
  'dashes on one line': (depth) => `${'- '.repeat(depth)}a`,
  'question marks on one line': (depth) => `${'? '.repeat(depth)}a`,
};

for (const [name, nest] of Object.entries(nests)) {
  test(`${name} nested too deep are refused, 50 times each`, () => {
    for (const depth of [100, 900, 2000, 10_000]) {
      const text = nest(depth).slice(0, fileBytesMax);
      for (let round = 0; round < 50; round += 1) {
        const [problem] = problemsOf(text);
        assert.ok(problem, `depth ${depth}`);
        assert.is(problem.code, 'HG0205', `depth ${depth}: ${problem.message}`);
      }
    }
  });
}

test('an alias bomb is refused before anything walks it', () => {
  const levels = 'abcdefghij'.split('');
  const lines = levels.map((name, level) => {
    const below = level === 0 ? 'x' : `*${levels[level - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 9 }, () => below).join(', ')}]`;
  });
  const tookMs = timed(() => {
    const codes = problemsOf(lines.join('\n')).map(({ code }) => code);
    assert.equal(codes, ['HG0206']);
  });
  assert.ok(tookMs < 5000, `took ${tookMs} ms`);
});

test('few aliases that stand for very much are refused by what they stand for', () => {
  const base = `a: &a [${'x, '.repeat(20_000)}x]`;
  const [problem] = problemsOf(`${base}\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n`);
  assert.is(problem?.code, 'HG0206');
});

test('as many aliases as are allowed are fine', () => {
  const node = (names: number) => `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: &name web, labels: { ${Array.from({ length: names }, (_, index) => `l${index}: *name`).join(', ')} } }
spec: {}
`;
  assert.equal(problemsOf(node(20)), []);
  assert.equal(
    problemsOf(node(21)).map(({ code }) => code),
    ['HG0206'],
  );
});

test('a merge bomb is refused at its first merge', () => {
  const keys = Array.from({ length: 2000 }, (_, index) => `k${index}: 1`).join(', ');
  const refs = Array.from({ length: 2000 }, () => '*a').join(', ');
  const tookMs = timed(() => {
    const codes = new Set(
      problemsOf(`a: &a { ${keys} }\nb: { <<: [${refs}] }\n`).map((each) => each.code),
    );
    assert.equal([...codes].sort(), ['HG0206', 'HG0211']);
  });
  assert.ok(tookMs < 5000, `took ${tookMs} ms`);
});

test('keys of the prototype are fields like any other, and stay out of the prototype', () => {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const problems = problemsOf(`apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web, __proto__: { polluted: true } }
__proto__: { polluted: true }
constructor: { prototype: { polluted: true } }
spec: { toString: 1, listeners: [{ __proto__: { portMapping: 1 } }] }
`);
  assert.equal(problems.map(({ code, path }) => `${code} ${path}`).sort(), [
    'HG0304 __proto__',
    'HG0304 constructor',
    'HG0304 metadata.__proto__',
    'HG0304 spec.listeners[0].__proto__',
    'HG0304 spec.toString',
    'HG0305 spec.listeners[0].portMapping',
  ]);
  assert.is(Object.getOwnPropertyNames(Object.prototype).join(), before);
  assert.is(({} as Record<string, unknown>).polluted, undefined);
});

test('a resource and a label may be called constructor', () => {
  const { meshes, problems } = loadMeshes(
    revisionOf({
      'mesh.yaml': `${mesh}---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: constructor, labels: { toString: a, constructor: b } }
spec: {}
`,
    }),
  );
  assert.equal(problems, []);
  assert.equal({ ...meshes[0]?.virtualNodes[0]?.labels }, { toString: 'a', constructor: 'b' });
});

test('200,000 problems are 100 and one that counts the rest, in bounded time', () => {
  const fields = Array.from({ length: 100_000 }, (_, index) => `f${index}: 1`).join('\n  ');
  const document = `apiVersion: headgate/v1\nkind: VirtualNode\nmetadata: { name: web }\nspec:\n  ${fields}\n`;
  let problems: readonly Problem[] = [];
  const tookMs = timed(() => {
    problems = problemsOf(`${document}---\n${document}`);
  });
  assert.is(problems.length, problemsMax + 1);
  assert.is(problems.at(-1)?.code, 'HG0001');
  assert.is(problems.at(-1)?.severity, 'error');
  assert.match(problems.at(-1)?.message ?? '', /^199900 more problems/);
  assert.ok(tookMs < 30_000, `took ${tookMs} ms`);
});

test('warnings above the limit reject nothing', () => {
  const routers = Array.from(
    { length: 150 },
    (_, index) => `---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: unused-${index} }
spec: { listeners: [{ portMapping: { port: 80, protocol: http } }] }
`,
  );
  const { meshes, problems } = loadMeshes(revisionOf({ 'mesh.yaml': mesh + routers.join('') }));
  assert.is(problems.length, problemsMax + 1);
  assert.ok(problems.every(({ severity }) => severity === 'warning'));
  assert.is(meshes[0]?.virtualRouters.length, 150);
});

test('a large mesh of many files is read in bounded time', () => {
  const files = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [
      `nodes/${index}.yaml`,
      `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: node-${index} }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  serviceDiscovery: { static: { endpoints: [{ address: 10.0.0.1, port: 80 }] } }
`,
    ]),
  );
  const tookMs = timed(() => {
    const { meshes, problems } = loadMeshes(revisionOf({ ...files, 'mesh.yaml': mesh }));
    assert.equal(problems, []);
    assert.is(meshes[0]?.virtualNodes.length, 2000);
  });
  assert.ok(tookMs < 60_000, `took ${tookMs} ms`);
});

test.run();
