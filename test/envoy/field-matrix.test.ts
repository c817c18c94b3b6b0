/**
 * Every field of the schemas at its bounds: what the schema allows loads and is accepted by a real Envoy
 * with all that comes of it, and what lies just outside is refused at its line. Fields and bounds are
 * read from the schemas; a field that no specimen uses fails the test, so none is left out in silence. What
 * Envoy accepts in a bootstrap it is also given over ADS, in a network of its own, where the kernel allows.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isMap, LineCounter, parseAllDocuments, stringify } from 'yaml';
import { type Problem, renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import type { ProxyIdentity, Snapshot } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { Mesh } from '../../controller/mesh/model.js';
import type { Loading } from '../support/ads-loading.js';
import { certificateFolder } from '../support/certificates.js';
import { validateBootstrap } from '../support/envoy.js';
import {
  type Case,
  type Cases,
  casesOf,
  findSpecimen,
  type Place,
  valueAt,
} from '../support/field-cases.js';
import { startLonely } from '../support/namespaces.js';
import { fieldsOf } from '../support/schema-fields.js';
import { type Document, specimens } from '../support/specimens.js';
import { joinedBootstrap } from '../support/static-bootstrap.js';

const test = suite('the matrix of fields');

/** Snapshots that one Envoy looks at together. */
const batchSize = 150;

const folder = await certificates();
const namespace = await startLonely().catch(String);
test.after(async () => {
  if (typeof namespace !== 'string') {
    await namespace.stop();
  }
  await rm(folder, { recursive: true, force: true });
});

if (typeof namespace === 'string') {
  process.stdout.write(`  loading over ADS is left out: ${namespace}\n`);
  test('this machine forbids network namespaces', () => {
    assert.match(namespace, /not permitted|permission denied|not supported|does not exist/i);
  });
}

for (const [file, all] of Object.entries(specimens)) {
  const kind = String(all[0]?.subject.kind);
  const fields = fieldsOf(file);
  const found = fields.map((field) => ({ field, at: findSpecimen(field, all) }));
  const cases: readonly Cases[] = found.flatMap(({ field, at }) =>
    at === undefined ? [] : [casesOf(kind, field, at)],
  );
  const inside = cases.flatMap((each) => each.inside);
  const outside = cases.flatMap((each) => each.outside);

  test(`${kind}: every field is in a specimen`, () => {
    const missing = found.flatMap(({ field, at }) => (at ? [] : [field.path.join('.')]));
    assert.equal(missing, []);
  });

  test(`${kind}: what is outside the bounds is refused at its line`, () => {
    const wrong = outside.flatMap((one) => refusalFault(one) ?? []);
    assert.equal(wrong, []);
  });

  let snapshots: readonly MadeSnapshot[] = [];
  test(`${kind}: what is at the bounds loads, and Envoy accepts it`, async () => {
    const loaded = inside.map((one, index) => ({ one, ...load(one, index) }));
    assert.equal(
      loaded.flatMap(({ one, problems }) => problems.map((text) => `${one.name}: ${text}`)),
      [],
    );
    snapshots = loaded.flatMap(({ one, yaml, mesh }) => snapshotsOf(one, yaml, mesh));
    const refused: string[] = [];
    for (let start = 0; start < snapshots.length; start += batchSize) {
      refused.push(...(await refusedBy(snapshots.slice(start, start + batchSize))));
    }
    assert.equal(refused, []);
    process.stdout.write(
      `  ${kind}: ${fields.length} fields, ${inside.length} values at their bounds in ` +
        `${snapshots.length} snapshots, ${outside.length} outside\n`,
    );
  });

  if (typeof namespace !== 'string') {
    test(`${kind}: what is at the bounds is taken over ADS`, async () => {
      assert.ok(snapshots.length > 0);
      const loadings = snapshots.map(({ name, yaml, proxy }) => ({ name, yaml, proxy }));
      assert.equal(await namespace.call('loadOverAds', loadings, folder), []);
    });
  }
}

test.run();

function yamlOf(documents: readonly Document[]): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return documents.map((each) => stringify(each, options)).join('---\n');
}

function problemsOf(text: string): { readonly mesh?: Mesh; readonly problems: readonly Problem[] } {
  const files = [{ path: 'mesh.yaml', bytes: Buffer.from(text) }];
  const { meshes, problems } = loadMeshes({ files, problems: [] });
  return { mesh: meshes[0], problems: problems.filter(({ severity }) => severity === 'error') };
}

/** Why the refusal of `one` is not right; undefined where it is. */
function refusalFault({ name, documents, place }: Case): string | undefined {
  const text = yamlOf(documents);
  const { problems } = problemsOf(text);
  const [from, to] = linesOf(text, place);
  if (problems.length === 0) {
    return `${name} is accepted`;
  }
  return problems.some(({ line }) => line >= from && line <= to)
    ? undefined
    : `${name} is refused elsewhere than in lines ${from} to ${to}: ${renderProblem(problems[0] as Problem)}`;
}

/** First and last line of the field of the first document. */
function linesOf(text: string, place: Place): readonly [number, number] {
  const lineCounter = new LineCounter();
  const [first] = parseAllDocuments(text, { lineCounter });
  const parent = first && 'getIn' in first ? first.getIn(place.slice(0, -1), true) : undefined;
  const key = place.at(-1);
  const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === key) : undefined;
  const keyRange = (pair?.key as { range?: readonly number[] } | undefined)?.range;
  const node = first && 'getIn' in first ? first.getIn(place, true) : undefined;
  const range = (node as { range?: readonly number[] } | undefined)?.range ?? [];
  const start = lineCounter.linePos(keyRange?.[0] ?? range[0] ?? 0).line;
  return [start, Math.max(start, lineCounter.linePos(range[1] ?? 0).line)];
}

/** `one` as a mesh that has a name of its own, so that many can be looked at together. */
function load({ documents }: Case, index: number) {
  const text = yamlOf(documents).replace(/\bmatrix\b/g, `m${index}`);
  const { mesh, problems } = problemsOf(text);
  return { yaml: text, mesh, problems: problems.map(renderProblem) };
}

interface MadeSnapshot extends Loading {
  readonly snapshot: Snapshot;
}

/** Of the caller's proxy and the subject's own, redirected and with explicit addresses; of every gateway. */
function snapshotsOf(
  { name, documents }: Case,
  yaml: string,
  mesh: Mesh | undefined,
): readonly MadeSnapshot[] {
  if (mesh === undefined) {
    return [];
  }
  const subject = valueAt(documents[0], ['metadata', 'name']);
  const nodes = mesh.virtualNodes.filter((node) => node.name === 'web' || node.name === subject);
  const explicit = {
    ingress: { address: '127.0.0.1', port: 21_000 },
    egress: { address: '127.0.0.1', port: 22_000 },
  };
  const ofNodes = nodes.flatMap((node) => [
    { resource: node, addresses: {}, way: '' },
    { resource: node, addresses: explicit, way: ', explicit' },
  ]);
  const ofGateways = mesh.virtualGateways.map((gateway) => ({
    ...{ resource: gateway, addresses: {}, way: '' },
  }));
  return [...ofNodes, ...ofGateways].map(({ resource, addresses, way }) => {
    const { kind, name: owner } = resource;
    const proxy: ProxyIdentity = {
      ...{ nodeId: owner, instance: '', kind: 'envoy' },
      resource: { mesh: mesh.name, kind, name: owner },
      ...addresses,
    };
    const snapshot = snapshotFor(mesh, proxy);
    assert.ok(snapshot, `${name}: ${owner} is not served`);
    assert.equal(checkSnapshot(snapshot), [], name);
    return { name: `${name} (${owner}${way})`, yaml, proxy, snapshot };
  });
}

/** Which of `snapshots` Envoy refuses, in its words. */
async function refusedBy(snapshots: readonly MadeSnapshot[]): Promise<readonly string[]> {
  const words = await validateBootstrap(
    joinedBootstrap(snapshots.map(({ snapshot }) => snapshot)),
    folder,
  );
  if (words === undefined) {
    return [];
  }
  if (snapshots.length === 1) {
    return [`${snapshots[0]?.name}: ${words.trim().split('\n').at(-1)}`];
  }
  const middle = Math.ceil(snapshots.length / 2);
  return [
    ...(await refusedBy(snapshots.slice(0, middle))),
    ...(await refusedBy(snapshots.slice(middle))),
  ];
}

/** A folder with the files that specimens name, and those at the bounds of a path. */
async function certificates(): Promise<string> {
  const made = await certificateFolder();
  const folder = await mkdtemp(join(tmpdir(), 'headgate-matrix-'));
  for (const [name, from] of [
    ['chain.pem', 'server.pem'],
    ['key.pem', 'server.key'],
    ['authorities.pem', 'ca.pem'],
  ] as const) {
    for (const path of [from, name, name.slice(0, 1), name.padEnd(255, 'a')]) {
      await copyFile(join(made, from), join(folder, path));
    }
  }
  return folder;
}
