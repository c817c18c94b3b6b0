/** What crosses the border of the reading thread: nothing but what changed, and never anything stale. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../controller/base/random.js';
import type { SourceFile } from '../controller/base/revision.js';
import {
  type Combination,
  combineRevisions,
  type IdentifiedContent,
  type RepositoryRevisions,
} from '../controller/decode/combine-revisions.js';
import { readContent } from '../controller/decode/load-meshes.js';
import {
  HeldFiles,
  knownAfter,
  newsOf,
  nothingKnown,
  SentFiles,
  takeNews,
} from '../controller/decoder-border.js';
import { integer } from './support/random-mesh.js';

const border = suite('decoder border');

const header = 'apiVersion: headgate/v1\nkind:';

function fileOf(path: string, text: string): SourceFile {
  return { path, bytes: new TextEncoder().encode(text) };
}

function meshFile(name: string): SourceFile {
  return fileOf(`${name}.yaml`, `${header} Mesh\nmetadata: { name: ${name} }\nspec: {}\n`);
}

/** A node that a router of its own sends everything to; `lines` comments move it down. */
function serviceText(
  name: string,
  mesh: string,
  { port = 80, lines = 0, target = name } = {},
): string {
  const metadata = (as: string) => `metadata: { name: ${as}, mesh: ${mesh} }`;
  const listeners = `  listeners:\n    - portMapping: { port: ${port}, protocol: http }\n`;
  return [
    `${'# moved\n'.repeat(lines)}${header} VirtualNode\n${metadata(name)}\nspec:\n${listeners}` +
      `  serviceDiscovery: { dns: { hostname: ${name}.internal } }\n`,
    `${header} VirtualRouter\n${metadata(name)}\nspec:\n${listeners}  routes:\n` +
      '    - name: all\n      httpRoute:\n        match: { prefix: / }\n        action:\n' +
      `          weightedTargets: [{ virtualNodeRef: { name: ${target} }, weight: 1 }]\n`,
    `${header} VirtualService\n${metadata(`${name}.local`)}\nspec:\n  provider:\n` +
      `    virtualRouter: { virtualRouterRef: { name: ${name} } }\n`,
  ].join('---\n');
}

function revision(
  id: string,
  files: readonly SourceFile[],
  repository?: string,
): IdentifiedContent {
  return { id, files, repository, problems: [] };
}

/** Both sides, with a clone of every message between them, as threads have. */
class Border {
  private readonly sent = new SentFiles();
  private readonly held = new HeldFiles();
  private mainKnown = nothingKnown;
  private threadKnown = nothingKnown;
  /** Of the last task: paths of files, and changes of resources, and of the files that they stand in. */
  crossed = { files: [] as readonly string[], resources: 0, origins: 0 };

  load(repositories: readonly RepositoryRevisions[]): Combination {
    const packed = structuredClone(this.sent.pack({ repositories, served: [], providers: [] }));
    const combined = combineRevisions(this.held.unpack(packed), readContent);
    const news = structuredClone(newsOf(this.threadKnown, combined));
    this.threadKnown = knownAfter(this.threadKnown, combined);
    const taken = takeNews(this.mainKnown, news);
    this.mainKnown = knownAfter(this.mainKnown, taken);
    const { moved, gone } = news.accepted?.origins ?? { moved: [], gone: [] };
    this.crossed = {
      files: packed.fresh.map(([, { path }]) => path),
      resources: (news.accepted?.meshes ?? []).reduce(
        (sum, one) => sum + (one.kind === 'new' ? Number.POSITIVE_INFINITY : one.changes.length),
        0,
      ),
      origins: moved.length + gone.length,
    };
    return taken;
  }
}

/** The same, by somebody who has never seen any of the files. */
function loadedAnew(repositories: readonly RepositoryRevisions[]): Combination {
  const input = structuredClone({ repositories, served: [], providers: [] });
  const combination = combineRevisions(input, readContent);
  return combination.meshes === undefined ? { ...combination, origins: new Map() } : combination;
}

border('a commit of one file costs that file, whatever else there is', () => {
  for (const services of [10, 1000]) {
    const names = Array.from({ length: services }, (_, index) => `s${index}`);
    let decoded: string[] = [];
    // Whoever decodes a file asks for its bytes; clones would not tell, so this has no border.
    const counted = ({ path, bytes }: SourceFile): SourceFile => ({
      path,
      get bytes() {
        decoded.push(path);
        return bytes;
      },
    });
    const files = [
      meshFile('demo'),
      ...names.map((name) => fileOf(`${name}.yaml`, serviceText(name, 'demo'))),
    ];
    const changed = files.with(7, fileOf('s6.yaml', serviceText('s6', 'demo', { port: 81 })));

    const [first, second] = [files.map(counted), changed.map(counted)];
    const shared = second.map((file, index) =>
      files[index] === changed[index] ? (first[index] ?? file) : file,
    );
    const before = readContent({ files: first, problems: [] });
    assert.is(new Set(decoded).size, services + 1);
    decoded = [];
    const after = readContent({ files: shared, problems: [] });
    assert.equal([...new Set(decoded)], ['s6.yaml']);
    assert.is(after.documents.filter((document) => !before.documents.includes(document)).length, 3);

    const both = new Border();
    const known = both.load([{ name: '', attempted: revision('a', files) }]);
    const next = both.load([{ name: '', attempted: revision('b', changed) }]);
    assert.equal(both.crossed, { files: ['s6.yaml'], resources: 2, origins: 0 });
    assert.equal(next, loadedAnew([{ name: '', attempted: revision('b', changed) }]));
    const [mesh, meshBefore] = [next.meshes?.[0], known.meshes?.[0]];
    const others = mesh?.virtualRouters.filter(
      (router) => !meshBefore?.virtualRouters.includes(router),
    );
    assert.equal(
      others?.map(({ name }) => name),
      ['s6'],
    );
    assert.is(mesh?.virtualServices, meshBefore?.virtualServices);
    assert.is(next.origins, known.origins);

    const bad = files.with(7, fileOf('s6.yaml', 'a: [\n'));
    assert.is(both.load([{ name: '', attempted: revision('bad', bad) }]).meshes, undefined);
    assert.equal(both.crossed, { files: ['s6.yaml'], resources: 0, origins: 0 });
    const mended = both.load([{ name: '', attempted: revision('mended', changed) }]);
    assert.equal(both.crossed, { files: ['s6.yaml'], resources: 0, origins: 0 });
    assert.is(mended.meshes?.[0], mesh);
    assert.is(mended.origins, next.origins);

    both.load([{ name: '', attempted: revision('c', files.slice(0, -1)) }]);
    assert.equal(both.crossed, { files: ['s6.yaml'], resources: 2 + 3, origins: 1 });
  }
});

border("a router whose target's port is its node's changes with the node", () => {
  const both = new Border();
  const router = fileOf('router.yaml', serviceText('a', 'demo', { target: 'b' }));
  const files = (port: number) => [
    meshFile('demo'),
    router,
    fileOf('b.yaml', serviceText('b', 'demo', { port })),
  ];
  for (const port of [80, 81, 80]) {
    const attempted = revision(`${port}`, files(port));
    const { meshes } = both.load([{ name: '', attempted }]);
    const found = meshes?.[0]?.virtualRouters.map(({ routes }) => routes[0]?.targets[0]?.port);
    assert.equal(found, [port, port]);
    assert.equal(meshes, loadedAnew([{ name: '', attempted }]).meshes);
  }
});

border('whatever is committed, good or bad, in one repository or two, nothing is stale', () => {
  let accepted = 0;
  let rejected = 0;
  for (const seed of [1, 2, 3, 4]) {
    const random = seededRandom(seed);
    const both = new Border();
    const repositories = ['', 'second'].slice(0, 1 + (seed % 2)).map((other) => ({
      name: other === '' && seed % 2 === 0 ? '' : other || 'first',
      files: new Map<string, SourceFile>(),
      accepted: undefined as IdentifiedContent | undefined,
      attempted: undefined as IdentifiedContent | undefined,
    }));
    repositories[0]?.files.set('mesh', meshFile('demo'));
    for (let round = 0; round < 120; round += 1) {
      const repository = repositories[integer(random, repositories.length)];
      assert.ok(repository);
      const name = `${repository.name.slice(0, 1)}x${integer(random, 6)}`;
      edit(repository.files, name);
      const isOnly = repositories.length === 1;
      const filesMax = repository.attempted === undefined ? 2 : 1;
      const owner = isOnly ? undefined : repository.name;
      repository.attempted = revision(`${round}`, [...repository.files.values()], owner);
      const asked = repositories.map((one) => ({ ...one, files: undefined }));
      const taken = both.load(asked);
      const what = `seed ${seed}, round ${round}`;
      assert.equal(taken, loadedAnew(asked), what);
      assert.ok(both.crossed.files.length <= filesMax, what);
      for (const one of repositories) {
        if (taken.verdicts.get(one.name)?.isAccepted === true) {
          accepted += 1;
          one.accepted = isOnly ? undefined : one.attempted;
        } else {
          rejected += 1;
        }
      }

      function edit(files: Map<string, SourceFile>, file: string): void {
        const [port, lines] = [80 + integer(random, 3), integer(random, 2)];
        const texts = [
          ...Array(5).fill(serviceText(file, 'demo', { port, lines })),
          serviceText(file, 'demo', { target: 'nobody' }),
          `${header} VirtualNode\nmetadata: { name: ${file} }\nspec: { listeners: 1 }\n`,
          'a: [\n',
        ];
        const text = texts[integer(random, texts.length + 2)];
        if (text === undefined) {
          files.delete(file);
        } else {
          files.set(file, fileOf(`${file}.yaml`, text));
        }
      }
    }
  }
  assert.ok(accepted > 50 && rejected > 50, `${accepted} accepted, ${rejected} rejected`);
});

border.run();
