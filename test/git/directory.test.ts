/** A plain directory: read once for a command, or watched for as long as the controller runs. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { readDirectory, readListed } from '../../controller/git/directory.js';
import { listDirectory } from '../../controller/git/directory-listing.js';
import { createDirectorySource } from '../../controller/git/directory-source.js';
import { defaultSourceLimits } from '../../controller/git/limits.js';
import { isPlainDirectory, openSource } from '../../controller/git/open-source.js';
import { makeRepository, writeFiles } from '../support/git.js';
import {
  failureOf,
  filesOf,
  problemsOf,
  revisionOf,
  startSource,
  type TestSource,
} from '../support/source.js';

interface Context {
  folder: string;
  source: TestSource | undefined;
}

const test = suite<Context>('a directory');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-directory-'));
});

test.after.each(async (context) => {
  await context.source?.stop();
  context.source = undefined;
  rmSync(context.folder, { recursive: true, force: true });
});

function start(context: Context, settings: { pollMs?: number; path?: string } = {}): TestSource {
  const complete = { directory: context.folder, path: '.', pollMs: 3_600_000, ...settings };
  context.source = startSource((deps) => createDirectorySource(complete, deps));
  return context.source;
}

/** The next event that is a revision; polls that found nothing are passed over. */
async function nextRevision(source: TestSource): Promise<string> {
  for (;;) {
    const event = await source.next();
    if (event.kind !== 'unchanged') {
      return filesOf(revisionOf(event));
    }
  }
}

test('is read with an id that its names, bytes and problems alone decide', async ({ folder }) => {
  writeFiles(folder, { 'b.yaml': 'b: 1', 'a/a.yml': 'a: 1', '.git/x.yaml': '', 'x.txt': 'x' });
  const first = await readDirectory(folder);
  assert.match(first.id, /^dir-[0-9a-f]{64}$/);
  assert.is(first.ref, folder);
  assert.is(first.author, '');
  assert.is(filesOf(first), 'a/a.yml: a: 1\nb.yaml: b: 1');
  const ids = [first.id];
  utimesSync(join(folder, 'b.yaml'), 1, 1);
  writeFiles(folder, { 'x.txt': 'y' });
  assert.is((await readDirectory(folder)).id, first.id);
  writeFiles(folder, { 'b.yaml': 'b: 2' });
  ids.push((await readDirectory(folder)).id);
  renameSync(join(folder, 'b.yaml'), join(folder, 'c.yaml'));
  ids.push((await readDirectory(folder)).id);
  symlinkSync('c.yaml', join(folder, 'd.yaml'));
  ids.push((await readDirectory(folder)).id);
  assert.is(new Set(ids).size, 4, 'each of them is another revision');
});

test('is read as it stands where it is a work tree', async ({ folder }) => {
  const repository = makeRepository(folder);
  repository.commit({ 'a.yaml': 'a: committed' });
  writeFiles(repository.work, { 'a.yaml': 'a: edited', 'new.yaml': 'not added' });
  assert.is(
    filesOf(await readDirectory(repository.work)),
    'a.yaml: a: edited\nnew.yaml: not added',
  );
});

test('that is not there, or no directory, is an error', async ({ folder }) => {
  writeFiles(folder, { 'a.yaml': '' });
  for (const path of [join(folder, 'nowhere'), join(folder, 'a.yaml')]) {
    const error = await readDirectory(path).catch((thrown: unknown) => thrown);
    assert.is(error instanceof OpError && error.code, 'directory-missing');
  }
});

test('may itself be a link, and has no path through one', async (context) => {
  const { folder } = context;
  writeFiles(folder, { 'real/mesh/a.yaml': 'a: 1', 'real/link': { link: 'mesh' } });
  symlinkSync('real', join(folder, 'alias'));
  assert.is(filesOf(await readDirectory(join(folder, 'real', 'mesh'))), 'a.yaml: a: 1');
  assert.is(filesOf(await readDirectory(join(folder, 'alias', 'mesh'))), 'a.yaml: a: 1');
  const through = await listDirectory(join(folder, 'real'), 'link', defaultSourceLimits);
  assert.equal(
    through.selection.problems.map((problem) => problem.code),
    ['HG0101'],
  );
  const direct = start(context, { path: 'real/mesh' });
  assert.is(await nextRevision(direct), 'real/mesh/a.yaml: a: 1');
});

test('that changes between its listing and its reading is not read', async ({ folder }) => {
  const secret = join(folder, 'secret');
  const mesh = join(folder, 'mesh');
  writeFiles(folder, { secret: 'password' });
  const changes = {
    'a file was written to': () => writeFiles(mesh, { 'a.yaml': 'a: 2222' }),
    'a file was replaced by one of its size': () => writeFiles(mesh, { 'a.yaml': 'b: 1' }),
    'a link took its place': () => writeFiles(mesh, { 'a.yaml': { link: secret } }),
    'a file was removed': () => writeFiles(mesh, { 'a.yaml': null }),
    'a file was added': () => writeFiles(mesh, { 'z.yaml': 'z: 1' }),
  };
  for (const [what, change] of Object.entries(changes)) {
    rmSync(mesh, { recursive: true, force: true });
    writeFiles(mesh, { 'a.yaml': 'a: 1', 'b.yaml': 'b: 1' });
    const listing = await listDirectory(mesh, '', defaultSourceLimits);
    change();
    assert.is(await readListed(listing), undefined, what);
  }
});

test('is read again when something in it changes', async (context) => {
  const { folder } = context;
  writeFiles(folder, { 'a.yaml': 'a: 1' });
  const source = start(context);
  assert.is(await nextRevision(source), 'a.yaml: a: 1');
  assert.is((await source.poll()).kind, 'unchanged');
  writeFiles(folder, { 'a.yaml': 'a: 2' });
  assert.is(await nextRevision(source), 'a.yaml: a: 2');
  writeFiles(folder, { 'new/folder/b.yaml': 'b: 1' });
  assert.is(await nextRevision(source), 'a.yaml: a: 2\nnew/folder/b.yaml: b: 1');
  writeFiles(folder, { 'a.yaml': null });
  assert.is(await nextRevision(source), 'new/folder/b.yaml: b: 1');
});

test('is polled besides, so that a lost event costs no more than a poll', async (context) => {
  const { folder } = context;
  mkdirSync(join(folder, 'mesh'));
  writeFiles(folder, { 'mesh/a.yaml': 'a: 1' });
  const source = start(context, { pollMs: 50 });
  assert.is(await nextRevision(source), 'mesh/a.yaml: a: 1');
  // The watcher follows what it saw at first; the folder that takes its place may escape it.
  renameSync(join(folder, 'mesh'), join(folder, '.old'));
  writeFiles(folder, { 'other/a.yaml': 'a: 2' });
  renameSync(join(folder, 'other'), join(folder, 'mesh'));
  let files = await nextRevision(source);
  while (files !== 'mesh/a.yaml: a: 2') {
    files = await nextRevision(source);
  }
});

test('that vanishes is a failure, and its files are read when it is back', async (context) => {
  const { folder } = context;
  const directory = join(folder, 'mesh');
  writeFiles(directory, { 'a.yaml': 'a: 1' });
  const settings = { directory, path: '.', pollMs: 3_600_000 };
  context.source = startSource((deps) => createDirectorySource(settings, deps));
  await context.source.next();
  renameSync(directory, join(folder, 'away'));
  let event = await context.source.poll();
  while (event.kind === 'unchanged') {
    event = await context.source.next();
  }
  assert.is(failureOf(event).code, 'directory-missing');
  renameSync(join(folder, 'away'), directory);
  event = await context.source.poll();
  while (event.kind === 'failed') {
    event = await context.source.next();
  }
  assert.is(event.kind, 'unchanged', 'the same files are no new revision');
});

test('without a mesh file is a problem and not an empty mesh', async (context) => {
  assert.is(problemsOf(await readDirectory(context.folder)), 'HG0111 ');
  assert.is(problemsOf(revisionOf(await start(context).next())), 'HG0111 ');
});

test('is told from a repository by what lies in it', async (context) => {
  const { folder } = context;
  const repository = makeRepository(folder);
  repository.commit({ 'sub/a.yaml': 'a: committed' });
  writeFiles(repository.work, { 'sub/a.yaml': 'a: edited' });
  const plain = join(repository.work, 'sub');
  assert.ok(isPlainDirectory(plain));
  for (const path of [repository.bare, repository.work, join(folder, 'nowhere')]) {
    assert.not.ok(isPlainDirectory(path), path);
  }
  const expected = [
    [repository.bare, 'sub/a.yaml: a: committed'],
    [repository.work, 'sub/a.yaml: a: committed'],
    [`file://${repository.work}`, 'sub/a.yaml: a: committed'],
    [plain, 'a.yaml: a: edited'],
  ] as const;
  for (const [repo, files] of expected) {
    const cacheFolder = join(folder, 'cache');
    const settings = { repo, branch: 'main', path: '.', pollMs: 3_600_000, cacheFolder };
    const source = startSource((deps) => openSource(settings, deps));
    assert.is(filesOf(revisionOf(await source.next())), files, repo);
    await source.stop();
  }
});

test.run();
