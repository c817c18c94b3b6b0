/**
 * House rules as a test: imports go downward, pure code touches no world, every suite runs, every golden
 * case has a reader. Each rule is also shown to find what it is for.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from './support/project.js';
import {
  bannedCalls,
  importRings,
  importsOf,
  leftovers,
  missingHeader,
  orphanGoldens,
  repeatedProblemCodes,
  type SourceFile,
  suitesNotRun,
  wrongImports,
} from './tidy/checks.js';
import { importTable } from './tidy/import-table.js';

const controller = sources('controller', /\.(tsx?|mjs)$/).filter(
  (file) => !file.path.startsWith('controller/generated/'),
);
const tests = sources('test', /\.ts$/);
const generators = [...sources('schemas', /\.mjs$/), ...sources('proto', /\.mjs$/)];

const tree = suite('the tree');

tree('has the files that this test is to read', () => {
  assert.ok(controller.length > 50, `${controller.length} files in controller/`);
  assert.ok(tests.length > 20, `${tests.length} files in test/`);
});

tree('imports only downward', () => {
  none(controller.flatMap(wrongImports));
});

tree('has no ring of imports', () => {
  none(importRings(controller));
});

tree('keeps time, chance and the world out of pure code', () => {
  none(controller.flatMap((file) => bannedCalls(file)));
});

tree('runs every suite that it makes', () => {
  none(tests.flatMap(suitesNotRun));
});

tree('says at the top of each file what the file is for', () => {
  none([...controller, ...tests, ...generators].flatMap(missingHeader));
});

tree('has no notes of what is left to do', () => {
  none([...controller, ...tests, ...generators].flatMap(leftovers));
});

tree('declares every problem code once', () => {
  none(repeatedProblemCodes(controller));
});

tree('has a reader for every golden case', () => {
  none(orphanGoldens(readdirSync(projectPath('test/golden')), tests));
});

tree.run();

const rules = suite('the rules');

rules('no part may import, directly or not, what imports it', () => {
  for (const part of Object.keys(importTable)) {
    const reached = new Set<string>();
    const waiting = [...(importTable[part]?.parts ?? [])];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (!reached.has(next)) {
        reached.add(next);
        waiting.push(...(importTable[next]?.parts ?? []));
      }
    }
    assert.not(reached.has(part), `${part} can reach itself`);
  }
});

rules('imports are told apart from type imports', () => {
  const text = [
    "import { a } from '../base/a.js';",
    "import type { B } from '../base/b.js';",
    "import { type C, type D } from './c.js';",
    "import {\n  type E,\n  f,\n} from './e.js';",
    "export * from './g.js';",
    "import 'h';",
    "const i = await import('./i.js');",
  ].join('\n');
  assert.equal(
    importsOf({ path: 'controller/mesh/x.ts', text }).map(
      ({ target, isType }) => `${target}${isType ? ' (type)' : ''}`,
    ),
    [
      'controller/base/a.ts',
      'controller/base/b.ts (type)',
      'controller/mesh/c.ts (type)',
      'controller/mesh/e.ts',
      'controller/mesh/g.ts',
      'h',
      'controller/mesh/i.ts',
    ],
  );
});

const imports: readonly (readonly [string, string, string | undefined])[] = [
  ['controller/mesh/x.ts', "import { a } from '../base/a.js';", undefined],
  ['controller/base/x.ts', "import { a } from '../mesh/a.js';", 'may not import mesh'],
  ['controller/base/x.ts', "import { a } from 'node:fs';", 'may not import the package node:fs'],
  [
    'controller/store/x.ts',
    "import { Store } from '../loop/ports.js';",
    'more than types of loop/',
  ],
  ['controller/store/x.ts', "import type { Store } from '../loop/ports.js';", undefined],
  ['controller/store/x.ts', "import type { Loop } from '../loop/loop.js';", 'may not import loop'],
  ['controller/store/x.ts', "import { a } from '../notify/a.js';", 'may not import notify'],
  ['controller/xds/server.ts', "import { a } from 'node:http2';", undefined],
  ['controller/xds/hub.ts', "import { a } from 'node:http2';", 'the package node:http2'],
  ['controller/drawer/x.ts', '', 'drawer has no line'],
];

for (const [path, text, expected] of imports) {
  rules(`${text || 'nothing'} in ${path} is ${expected === undefined ? 'right' : 'found'}`, () => {
    const found = wrongImports({ path, text });
    assert.is(found.length, expected === undefined ? 0 : 1, found.join('\n'));
    assert.match(found.join(), expected ?? '');
  });
}

rules('a ring of imports is found, one of types is none', () => {
  const file = (name: string, text: string) => ({ path: `controller/base/${name}.ts`, text });
  const toA = "import { a } from './a.js';";
  const toB = "import { b } from './b.js';";
  assert.equal(importRings([file('a', toB), file('b', toA)]), [
    'import ring: controller/base/a.ts → controller/base/b.ts → controller/base/a.ts',
  ]);
  assert.equal(importRings([file('a', toB), file('b', toA.replace('{ a', '{ type a'))]), []);
});

rules('a banned call is found with its line, in comments and texts it is none', () => {
  const found = (path: string, text: string) => bannedCalls({ path, text }).join();
  assert.is(
    found('controller/diff/x.ts', 'const a = 1;\nconst b = Date.now();'),
    'controller/diff/x.ts:2: Date.now is banned here; use an argument nowMs, or Clock.now',
  );
  for (const call of ['new Date()', 'Math.random()', 'console.log(1)', 'setTimeout(f, 1)']) {
    assert.match(found('controller/rollout/x.ts', call), 'is banned here');
    assert.match(found('controller/notify/x.ts', call), 'is banned here');
    assert.is(found('controller/clock.ts', call), '');
  }
  assert.match(found('controller/mesh/x.ts', 'process.exit(1)'), 'is banned here');
  assert.is(found('controller/git/x.ts', 'process.kill(1)'), '');
  assert.is(found('controller/mesh/x.ts', '// Date.now()\n/* Date.now() */'), '');
  assert.is(found('controller/mesh/x.ts', "const a = 'Date.now()';"), '');
  assert.is(found('controller/mesh/x.ts', 'new Date(nowMs).toISOString()'), '');
});

rules('a suite that is never run is found', () => {
  const found = (path: string, text: string) => suitesNotRun({ path, text }).join();
  const made = "const test = suite('a');\n";
  assert.match(found('test/a.test.ts', made), 'test.run() is never called');
  assert.is(found('test/a.test.ts', `${made}test.run();\n`), '');
  assert.match(found('test/a.test.ts', `${made}// test.run();\n`), 'never called');
  assert.match(found('test/a.test.ts', "const b = suite<C>('a');\ntest.run();"), 'b.run()');
  assert.match(found('test/a.test.ts', "import { test } from 'uvu';\n"), 'test.run()');
  assert.match(found('test/a.test.ts', ''), 'makes no suite');
  assert.is(found('test/a.test.ts', "storeSuite('a', b);"), '');
  assert.is(found('test/support/a.ts', ''), '');
});

rules('a missing header, a note and a repeated code are found', () => {
  assert.is(missingHeader({ path: 'a', text: '/** A. */' }).length, 0);
  assert.is(missingHeader({ path: 'a', text: '#!/usr/bin/env node\n/** A. */' }).length, 0);
  assert.is(missingHeader({ path: 'a', text: "import 'a';\n/** A. */" }).length, 1);
  assert.is(leftovers({ path: 'a', text: `ok\n// TO${'DO'}: later` }).length, 1);
  const table = { path: 'a', text: 'const a = {\n  HG0101: {\n  },\n};' };
  assert.equal(repeatedProblemCodes([table]), []);
  assert.equal(repeatedProblemCodes([table, { ...table, path: 'b' }]), [
    'b: HG0101 is declared in a too',
  ]);
});

rules('golden cases that no test names are found', () => {
  const readers = [{ path: 'a', text: "goldenCases('decode'); read('test/golden/plan/in')" }];
  assert.equal(orphanGoldens(['decode', 'plan', 'code'], readers), [
    'test/golden/code: no test reads these cases',
  ]);
});

rules.run();

function sources(folder: string, pattern: RegExp): readonly SourceFile[] {
  const root = projectPath(folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name) && !name.includes('node_modules'))
    .sort()
    .map((name) => ({
      path: `${folder}/${name.replaceAll('\\', '/')}`,
      text: readFileSync(join(root, name), 'utf8'),
    }));
}

/** Fails with every offence on a line of its own. */
function none(offences: readonly string[]): void {
  assert.ok(offences.length === 0, `\n${offences.join('\n')}`);
}
