/** Everything that takes bytes from people or programs that are not trusted. */

import { hasErrors } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { problemTable } from '../../controller/decode/problems.js';
import { importAppMesh } from '../../controller/import/import-app-mesh.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { filesOf } from '../import/import-case.js';
import { goldenCases } from '../support/golden.js';
import { revisionOfFolder } from '../support/revision.js';
import type { FuzzTarget } from './fuzzer.js';
import { xdsStreams } from './xds-streams.js';

const yamlTokens = [
  ...'[]{}:,-?&*!|>\'"%@`#\t\n\r \\~=<'.split(''),
  ...[
    '\n---\n',
    '<<: *a',
    '&a ',
    '*a',
    '!!binary ',
    '!Sub ',
    '!GetAtt ',
    '__proto__: ',
    `\u0024{A}`,
    'null',
  ],
  ...[
    '.nan',
    '-.inf',
    '0x1F',
    '1e309',
    '9007199254740993',
    '\u0000',
    '\ufeff',
    '\u202e',
    '\u{1f6a6}',
  ],
  ...['constructor: ', 'toString', '{"a":', 'Fn::Sub: ', 'Ref: ', '- - - - ', '[[[[[[', '{{{{{{'],
];

const loader: FuzzTarget = {
  name: 'loader',
  tokens: yamlTokens,
  seeds: () =>
    goldenCases('decode')
      .filter(({ name }) => !/bomb|more-problems/.test(name))
      .flatMap(({ path }) => revisionOfFolder(path).files.map(({ bytes }) => bytes)),
  check: (bytes) => {
    const { meshes, problems } = loadMeshes({ files: [{ path: 'a.yaml', bytes }], problems: [] });
    expect(meshes.length > 0 === !hasErrors(problems), 'a mesh or errors');
    expect(
      problems.every(({ code }) => Object.hasOwn(problemTable, code)),
      'known codes',
    );
    expect(
      meshes.every((mesh) => danglingReferences(mesh).length === 0),
      'no dangling reference',
    );
    expectCleanPrototype();
  },
};

const importer: FuzzTarget = {
  name: 'importer',
  tokens: yamlTokens,
  seeds: () => goldenCases('import').flatMap(({ path }) => filesOf(path).map(({ bytes }) => bytes)),
  check: (bytes) => {
    for (const path of ['a.yaml', 'a.json']) {
      const files = [{ path, bytes }];
      const [first, second] = [1, 2].map(() => importAppMesh(files, { parameters: new Map() }));
      expect(JSON.stringify(first) === JSON.stringify(second), 'the same result each time');
    }
    expectCleanPrototype();
  },
};

let hookApi: RunningApi | undefined;

const hooks: FuzzTarget = {
  name: 'hooks',
  tokens: ['{', '}', '[]', '"ref"', 'sha256=', '\u0000', '\r\n', '{"__proto__":{"a":1}}', 'null'],
  seeds: () => [Buffer.from('{"ref":"refs/heads/main"}'), Buffer.from('[]'), Buffer.alloc(0)],
  check: async (body) => {
    hookApi ??= await runApi();
    for (const provider of ['github', 'gitlab', 'generic', 'forgejo']) {
      const response = await fetch(`${hookApi.url}/api/v1/hooks/${provider}`, {
        method: 'POST',
        body,
        // Where a header may hold it, the body is the signature, too.
        headers: { 'X-Hub-Signature-256': Buffer.from(body).toString('hex').slice(0, 200) },
      });
      await response.arrayBuffer();
      expect(response.status === 401, `401 and not ${response.status}`);
    }
    expect(hookApi.polls.length === 0, 'no poll');
  },
};

export const fuzzTargets: readonly FuzzTarget[] = [loader, importer, hooks, xdsStreams];

/** Ends what the targets have started. */
export async function closeTargets(): Promise<void> {
  await hookApi?.stop();
  hookApi = undefined;
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new Error(`expected ${what}`);
  }
}

function expectCleanPrototype(): void {
  expect(Object.keys(Object.prototype).length === 0, 'an Object.prototype without keys');
}
