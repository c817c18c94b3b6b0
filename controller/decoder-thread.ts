/** The thread of `decoder.ts`: a revision comes in, its meshes go out. */
import { parentPort } from 'node:worker_threads';
import { present } from './base/assert.js';
import { loadMeshes } from './decode/load-meshes.js';
import type { DecoderTask } from './decoder.js';

const port = present(parentPort, 'the port of the thread');

port.on('message', ({ revision, providers }: DecoderTask) =>
  port.postMessage(loadMeshes(revision, providers)),
);
