/** Regular expressions of the user's are judged by RE2 alone, and JavaScript's engine never sees them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { revisionOf } from '../support/revision.js';

const test = suite('regular expressions of mesh files');

function routerWith(regex: string): string {
  return `apiVersion: headgate/v1
kind: Mesh
metadata: { name: shop }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  serviceDiscovery: { announced: {} }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: web }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: web } } } }
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: web }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
    - name: all
      httpRoute:
        match:
          path: { regex: ${JSON.stringify(regex)} }
          headers: [{ name: a, match: { regex: ${JSON.stringify(regex)} } }]
        action: { weightedTargets: [{ virtualNodeRef: { name: web }, weight: 1 }] }
`;
}

function codesOf(regex: string): readonly string[] {
  return loadMeshes(revisionOf({ 'mesh.yaml': routerWith(regex) })).problems.map(
    ({ code }) => code,
  );
}

const accepted = [
  '/a.*',
  '(a+)+$',
  '(?i)/ab',
  '\\pL+',
  '\\d{996}',
  `/${'a'.repeat(995)}`,
  `[${'a-z'.repeat(340)}]aa`,
  '(?P<x>a)',
];
const refused = [
  '(?=a)',
  '(?!a)',
  '(?<=a)b',
  '(a)\\1',
  'a{1001}',
  '(a{1000}){1000}',
  '[a',
  '*',
  '\\C',
  '\\d{1000}',
  'a'.repeat(1000),
];

for (const regex of accepted) {
  test(`${regex.slice(0, 20)} is an expression of RE2`, () => {
    assert.equal(codesOf(regex), []);
  });
}

for (const regex of refused) {
  test(`${regex.slice(0, 20)} is none`, () => {
    assert.equal(codesOf(regex), ['HG0310', 'HG0310']);
  });
}

test('what is longer than 1,024 characters is not even tried', () => {
  assert.equal(codesOf('a'.repeat(1025)), ['HG0308', 'HG0308']);
  const startMs = performance.now();
  assert.equal(codesOf('(a+)'.repeat(250_000)), ['HG0308', 'HG0308']);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 5000, `took ${tookMs} ms`);
});

test('no expression of the user is compiled by JavaScript', () => {
  codesOf('/warm-up');
  const compiled: string[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, [pattern, flags]) {
      compiled.push(String(pattern));
      return new target(pattern, flags);
    },
    apply(target, _self, [pattern, flags]) {
      compiled.push(String(pattern));
      return target(pattern, flags);
    },
  });
  try {
    assert.ok(Reflect.construct(RegExp, ['seen']).test('seen'));
    for (const regex of [...accepted, ...refused]) {
      codesOf(regex);
    }
  } finally {
    globalThis.RegExp = original;
  }
  assert.ok(compiled.includes('seen'), 'the spy sees what is compiled');
  for (const regex of [...accepted, ...refused]) {
    assert.not(
      compiled.some((pattern) => pattern.includes(regex)),
      `${regex} was compiled`,
    );
  }
});

test.run();
