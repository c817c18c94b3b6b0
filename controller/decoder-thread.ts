/** The thread of `decoder.ts`: revisions come in, what they are together goes out. */
import { parentPort } from 'node:worker_threads';
import { present } from './base/assert.js';
import { combineRevisions, type IdentifiedContent } from './decode/combine-revisions.js';
import type { Decoded } from './decode/decode-revision.js';
import { readContent } from './decode/load-meshes.js';
import type { DecoderMessage, DecoderTask } from './decoder.js';

const port = present(parentPort, 'the port of the thread');

/** Of several repositories one has news at a time: the others are not read again. */
let known = new Map<string, Decoded>();

port.on('message', ({ repositories, served, providers }: DecoderTask) => {
  const before = known;
  known = new Map();
  const read = (revision: IdentifiedContent): Decoded => {
    const { repository = '', id } = revision;
    const key = JSON.stringify([repository, id]);
    const found = known.get(key) ?? before.get(key);
    if (found === undefined) {
      post({ kind: 'reading', repository, id });
    }
    const decoded = found ?? readContent(revision);
    known.set(key, decoded);
    return decoded;
  };
  const combination = combineRevisions({ repositories, served, providers }, read);
  if (repositories.length === 1) {
    known = new Map();
  }
  post({ kind: 'combined', combination });
});

function post(message: DecoderMessage): void {
  port.postMessage(message);
}
