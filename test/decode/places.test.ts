/** Where problems stand: found in the files again, and for as many problems as there are in one go. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SourceFile } from '../../controller/base/revision.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';

const places = suite('places of problems');

const header = 'apiVersion: headgate/v1\nkind:';
const listeners = 'listeners: [{ portMapping: { port: 80, protocol: http } }]';
const base =
  `${header} Mesh\nmetadata: { name: demo }\nspec: {}\n---\n` +
  `${header} VirtualGateway\nmetadata: { name: edge }\nspec: { ${listeners} }\n---\n` +
  `${header} VirtualNode\nmetadata: { name: web }\nspec:\n  ${listeners}\n` +
  '  serviceDiscovery: { dns: { hostname: web.internal } }\n---\n' +
  `${header} VirtualService\nmetadata: { name: web }\nspec:\n  provider:\n` +
  '    virtualNode: { virtualNodeRef: { name: web } }\n';

function gatewayRoute(name: string, prefix: string): string {
  return (
    `${header} GatewayRoute\nmetadata: { name: ${name} }\nspec:\n` +
    `  virtualGatewayRef: { name: edge }\n  httpRoute:\n    match: { prefix: ${prefix} }\n` +
    '    action: { target: { virtualService: { virtualServiceRef: { name: web } } } }\n'
  );
}

/** Two files whose every route is reported, first one of this file and then one of the other. */
function clashingFiles(routes: number): ReadonlyMap<string, string> {
  const texts = ['a', 'b'].map((file) =>
    Array.from({ length: routes }, (_, index) => [
      gatewayRoute(`r${index}-${file}`, `/p${index}`),
      gatewayRoute(`r${index}-${file}-again`, `/p${index}`),
    ])
      .flat()
      .join('---\n'),
  );
  return new Map([
    ['base.yaml', base],
    ['a.yaml', texts[0] ?? ''],
    ['b.yaml', texts[1] ?? ''],
  ]);
}

places('are found by reading a file once more, however many problems alternate between two', () => {
  for (const routes of [2, 20]) {
    let read: string[] = [];
    const files = [...clashingFiles(routes)].map(
      ([path, text]): SourceFile => ({
        path,
        get bytes() {
          read.push(path);
          return new TextEncoder().encode(text);
        },
      }),
    );
    const { problems } = loadMeshes({ files, problems: [] }, []);
    assert.is(problems.length, 3 * routes);
    assert.ok(problems.every(({ code }) => code === 'HG0511'));
    assert.is(problems.filter(({ file }) => file === 'a.yaml').length, routes);
    const once = read.filter((path) => path === 'base.yaml').length;
    const places = problems.map(({ file, line, column }) => `${file}:${line}:${column}`);
    assert.is(new Set(places).size, problems.length);
    assert.equal(
      ['a.yaml', 'b.yaml'].map((file) => read.filter((path) => path === file).length / once),
      [2, 2],
    );

    // What stays wrong is found where it was.
    read = [];
    assert.equal(loadMeshes({ files, problems: [] }, []).problems, problems);
    assert.equal(read, []);
  }
});

places.run();
