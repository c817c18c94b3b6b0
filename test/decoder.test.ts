/** The reading thread: what it reads is what `loadMeshes` reads, and the main thread never waits. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { revisionId } from '../controller/base/brand.js';
import { OpError } from '../controller/base/op-error.js';
import { onlyRepository, type Revision } from '../controller/base/revision.js';
import { loadMeshes } from '../controller/decode/load-meshes.js';
import { Decoder } from '../controller/decoder.js';
import { originOf } from '../controller/mesh/origins.js';

const decoding = suite('decoder');

function revision(texts: readonly string[]): Revision {
  const encoder = new TextEncoder();
  return {
    id: revisionId('c1'),
    ref: 'main',
    author: '',
    committedAtMs: 0,
    message: '',
    files: texts.map((text, index) => ({ path: `${index}.yaml`, bytes: encoder.encode(text) })),
    problems: [],
  };
}

const mesh = 'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: demo }\nspec: {}\n';

function node(index: number): string {
  return `apiVersion: headgate/v1\nkind: VirtualNode\nmetadata: { name: n${index} }\nspec: {}\n`;
}

async function load(decoder: Decoder, attempted: Revision) {
  const { verdicts, ...read } = await decoder.load([{ name: onlyRepository, attempted }]);
  return { ...read, problems: verdicts.get(onlyRepository)?.problems ?? [] };
}

decoding('reads the same as in the main thread, one revision after the other', async () => {
  const decoder = new Decoder([]);
  const good = revision([mesh, node(1)]);
  const bad = revision([mesh, 'apiVersion: headgate/v1\nkind: VirtualNod\n']);
  const [first, second] = await Promise.all([load(decoder, good), load(decoder, bad)]);
  assert.equal(first.meshes, loadMeshes(good).meshes);
  assert.equal(first.problems, []);
  assert.is(originOf(first.origins, 'demo/VirtualNode/n1')?.file, '1.yaml');
  assert.is(second.meshes, undefined);
  assert.equal(second.problems, loadMeshes(bad).problems);
  assert.ok(second.problems.length > 0);
  await decoder.stop();
});

decoding('a thread that ends while it has nothing to do is followed by another', async () => {
  const threads: Worker[] = [];
  const see = (thread: Worker) => threads.push(thread);
  process.on('worker', see);
  const decoder = new Decoder([]);
  const good = revision([mesh, node(1)]);
  await load(decoder, good);
  await threads[0]?.terminate();
  const { meshes, problems } = await load(decoder, good);
  assert.equal(meshes, loadMeshes(good).meshes);
  assert.equal(problems, [], 'the revision is not to blame');
  assert.is(threads.length, 2);
  // Without a listener this would be the end of the process.
  threads[1]?.emit('error', new Error('out of memory'));
  assert.equal((await load(decoder, good)).meshes, meshes);
  assert.is(threads.length, 3);
  process.off('worker', see);
  await threads[1]?.terminate();
  await decoder.stop();
});

decoding('a thread that cannot start for want of descriptors is nobody’s fault', async () => {
  const decoder = new Decoder([]);
  const good = revision([mesh, node(1)]);
  const open = readdirSync('/proc/self/fd').length;
  const limit = (value: string) =>
    execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${value}`]);
  const before = /open files +(\d+) +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'));
  limit(`${open + 30}:`);
  const taken: number[] = [];
  try {
    assert.throws(() => {
      for (;;) {
        taken.push(openSync('/dev/null', 'r'));
      }
    }, /EMFILE/);
    // The last of these lets the thread begin, but not find its program.
    for (const spare of [0, 4]) {
      taken.splice(0, spare).forEach(closeSync);
      const error = await load(decoder, good).catch((reason: unknown) => reason);
      assert.instance(error, OpError);
      assert.is((error as OpError).code, 'reader-cannot-start');
      assert.match((error as OpError).message, 'EMFILE');
    }
  } finally {
    taken.forEach(closeSync);
    limit(`${before?.[1]}:`);
  }
  const { meshes, problems } = await load(decoder, good);
  assert.equal(meshes, loadMeshes(good).meshes);
  assert.equal(problems, [], 'the revision is not to blame');
  await decoder.stop();
});

decoding('timers run on while a large revision is read', async () => {
  const decoder = new Decoder([]);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const nodes = Array.from({ length: 1000 }, (_, index) => node(index));
  const { meshes, problems } = await load(decoder, revision([mesh, ...nodes]));
  clearInterval(timer);
  assert.equal(problems, []);
  assert.is(meshes?.[0]?.virtualNodes.length, 1000);
  assert.ok(ticks > 3, `the main thread ran ${ticks} timers meanwhile`);
  await decoder.stop();
});

decoding('a thread that dies is a problem of its revision, and the next one is read', async () => {
  const decoder = new Decoder([]);
  // What cannot be cloned into the thread's types makes its reader throw, as any bug of ours would.
  const broken = { ...revision([mesh]), files: [{ path: 'a.yaml' }] } as unknown as Revision;
  const { problems } = await load(decoder, broken);
  assert.is(problems[0]?.code, 'HG0801');
  const { meshes } = await load(decoder, { ...revision([mesh]), id: revisionId('c2') });
  assert.is(meshes?.length, 1);
  await decoder.stop();
});

decoding.run();
