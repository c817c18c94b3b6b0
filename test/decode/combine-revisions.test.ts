/** What several repositories are together: which of their newest revisions go together, and why others do not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import {
  combineRevisions,
  type IdentifiedContent,
  type RepositoryRevisions,
} from '../../controller/decode/combine-revisions.js';
import { readContent } from '../../controller/decode/load-meshes.js';

const combining = suite('combine revisions');

const header = 'apiVersion: headgate/v1\nkind:';
const shop = `${header} Mesh\nmetadata: { name: shop }\nspec: {}\n`;
const lab = `${header} Mesh\nmetadata: { name: lab }\nspec: {}\n`;
const node = (name: string) =>
  `${header} VirtualNode\nmetadata: { name: ${name}, mesh: shop }\nspec: { listeners: [{ portMapping: { port: ` +
  '80, protocol: http } }], serviceDiscovery: { dns: { hostname: a.example } } }\n';
const uses = (name: string, target: string) =>
  `${header} VirtualService\nmetadata: { name: ${name}, mesh: shop }\nspec: { provider: { virtualNode: ` +
  `{ virtualNodeRef: { name: ${target} } } } }\n`;
const bad = 'kind: [\n';

function revision(repository: string, id: string, ...texts: readonly string[]): IdentifiedContent {
  const files = texts.map((text, index) => ({ path: `${index}.yaml`, bytes: Buffer.from(text) }));
  return { repository, id, files, problems: [] };
}

/** `a: accepted` or the errors of each newest revision, and the names of the nodes of each mesh. */
function combine(
  repositories: readonly RepositoryRevisions[],
  served: readonly string[] = [],
): { readonly verdicts: Readonly<Record<string, string>>; readonly nodes: unknown } {
  const { meshes, verdicts } = combineRevisions(
    { repositories, served, providers: [] },
    readContent,
  );
  return {
    verdicts: Object.fromEntries(
      [...verdicts].map(([name, { isAccepted, problems }]) => [
        name,
        isAccepted ? 'accepted' : problems.map(renderProblem).join('\n'),
      ]),
    ),
    nodes:
      meshes &&
      Object.fromEntries(
        meshes.map(({ name, virtualNodes }) => [name, virtualNodes.map((one) => one.name).join()]),
      ),
  };
}

const a1 = revision('a', 'a1', shop, node('web'));
const b1 = revision('b', 'b1', node('pay'));

combining('parts of one mesh from two repositories are one mesh', () => {
  const found = combine([
    { name: 'a', attempted: a1 },
    { name: 'b', attempted: b1 },
  ]);
  assert.equal(found.verdicts, { a: 'accepted', b: 'accepted' });
  assert.equal(found.nodes, { shop: 'pay,web' });
});

combining('the order of the repositories is of no account', () => {
  const repositories = [
    { name: 'a', accepted: a1, attempted: revision('a', 'a2', shop, node('web'), node('new')) },
    { name: 'b', accepted: b1, attempted: revision('b', 'b2', node('pay'), uses('s', 'new')) },
    { name: 'c', attempted: revision('c', 'c1', bad) },
  ];
  const one = combine(repositories);
  assert.equal(one.verdicts.a, 'accepted');
  assert.equal(one.verdicts.b, 'accepted');
  const [a, b, c] = repositories;
  for (const order of [
    [b, a, c],
    [c, b, a],
    [b, c, a],
  ]) {
    const other = combine(order.filter((each) => each !== undefined));
    assert.equal(other.nodes, one.nodes);
    assert.equal(other.verdicts, one.verdicts);
  }
});

combining('two that need one another go in beside a third that is bad', () => {
  const found = combine(
    [
      {
        name: 'a',
        accepted: a1,
        attempted: revision('a', 'a2', shop, node('web'), uses('s', 'v2')),
      },
      {
        name: 'b',
        accepted: b1,
        attempted: revision('b', 'b2', node('pay'), node('v2'), uses('t', 'x')),
      },
      { name: 'c', attempted: revision('c', 'c1', node('x')) },
    ],
    ['shop'],
  );
  assert.equal(found.verdicts, { a: 'accepted', b: 'accepted', c: 'accepted' });
  assert.equal(found.nodes, { shop: 'pay,v2,web,x' });
});

combining('one that is rejected is tried again beside whatever comes later', () => {
  const waiting = revision('a', 'a2', shop, node('web'), uses('s', 'v2'));
  const first = combine(
    [
      { name: 'a', accepted: a1, attempted: waiting },
      { name: 'b', accepted: b1, attempted: b1 },
    ],
    ['shop'],
  );
  assert.is(
    first.verdicts.a,
    'a: 2.yaml:4:60: error HG0401 VirtualService s: VirtualNode v2 is not in mesh shop; ' +
      'add it, or correct the name',
  );
  assert.equal(first.nodes, { shop: 'pay,web' });
  const then = combine(
    [
      { name: 'a', accepted: a1, attempted: waiting },
      { name: 'b', accepted: b1, attempted: revision('b', 'b2', node('pay'), node('v2')) },
    ],
    ['shop'],
  );
  assert.equal(then.verdicts, { a: 'accepted', b: 'accepted' });
});

combining('what breaks another repository is its own fault, and names the place there', () => {
  const a2 = revision('a', 'a2', shop);
  const user = revision('b', 'b1', uses('s', 'web'));
  const found = combine(
    [
      { name: 'a', accepted: a1, attempted: a2 },
      { name: 'b', accepted: user, attempted: user },
    ],
    ['shop'],
  );
  assert.match(found.verdicts.a ?? '', /^b: 0\.yaml:4:\d+: error HG0401 .*VirtualNode web/);
  assert.is(found.verdicts.b, 'accepted');
  assert.equal(found.nodes, { shop: 'web' });
});

combining('a resource of two repositories is an error, whichever is newer', () => {
  const twin = revision('b', 'b2', node('web'));
  const found = combine(
    [
      { name: 'a', accepted: a1, attempted: a1 },
      { name: 'b', accepted: b1, attempted: twin },
    ],
    ['shop'],
  );
  assert.is(
    found.verdicts.b,
    'b: 0.yaml:3:19: error HG0402 VirtualNode web: two repositories declare it, at 1.yaml:1 in a and at ' +
      '0.yaml:1 in b, and none goes before the other; remove or rename one',
  );
  const other = combine(
    [
      { name: 'a', accepted: revision('a', 'a0', shop), attempted: a1 },
      { name: 'b', accepted: twin, attempted: twin },
    ],
    ['shop'],
  );
  assert.match(other.verdicts.a ?? '', /HG0402 .* at 1\.yaml:1 in a and at 0\.yaml:1 in b/);
  assert.is(other.verdicts.b, 'accepted');
});

combining('a document that names no mesh is of the mesh of its own repository', () => {
  const unnamed = `${header} VirtualNode\nmetadata: { name: n }\nspec: {}\n`;
  const found = combine([
    { name: 'a', attempted: revision('a', 'a1', shop, unnamed) },
    { name: 'b', attempted: revision('b', 'b1', lab, unnamed) },
  ]);
  assert.equal(found.verdicts, { a: 'accepted', b: 'accepted' });
  assert.equal(found.nodes, { lab: 'n', shop: 'n' });
  const homeless = combine([
    { name: 'a', attempted: revision('a', 'a1', shop) },
    { name: 'b', attempted: revision('b', 'b1', lab) },
    { name: 'c', attempted: revision('c', 'c1', unnamed) },
  ]);
  assert.match(homeless.verdicts.c ?? '', /HG0404 .* several meshes: lab, shop; add/);
});

combining('no mesh that is served can be lost by a commit', () => {
  const found = combine(
    [
      { name: 'a', accepted: a1, attempted: revision('a', 'a2', node('web')) },
      { name: 'b', accepted: revision('b', 'b1', lab), attempted: revision('b', 'b1', lab) },
    ],
    ['lab', 'shop'],
  );
  assert.match(found.verdicts.a ?? '', /HG0401 .*Mesh shop/);
  assert.equal(found.nodes, { lab: '', shop: 'web' });
  const alone = combine(
    [{ name: '', attempted: { ...revision('', 'x', lab), repository: undefined } }],
    ['shop'],
  );
  assert.match(alone.verdicts[''] ?? '', /^\.:0:0: error HG0701 mesh shop is served/);
  assert.is(alone.nodes, undefined);
});

combining('a mesh is begun only when no part of it can be missing', () => {
  const unread = combine([{ name: 'a', attempted: a1 }, { name: 'b' }]);
  assert.match(unread.verdicts.a ?? '', /^a: 0\.yaml:1:1: error HG0702 .* repository b, which may/);
  assert.is(unread.nodes, undefined);
  const rejected = combine([
    { name: 'a', attempted: a1 },
    { name: 'b', attempted: revision('b', 'b1', node('pay'), bad) },
    { name: 'c', attempted: revision('c', 'c1', lab) },
  ]);
  assert.match(rejected.verdicts.b ?? '', /HG0204/);
  assert.is.not(rejected.verdicts.a, 'accepted');
  assert.equal(rejected.nodes, { lab: '' }, 'what it does not name is begun');
  // What is served already had no part of it.
  const served = combine([{ name: 'a', accepted: a1, attempted: a1 }, { name: 'b' }], ['shop']);
  assert.equal(served.nodes, { shop: 'web' });
});

combining.run();
