/** The thread of `decoder.ts`: revisions come in, what they are together goes out. */
import { parentPort } from 'node:worker_threads';
import { present } from './base/assert.js';
import { memo } from './base/memo.js';
import type { SourceFile } from './base/revision.js';
import { combineRevisions, type IdentifiedContent } from './decode/combine-revisions.js';
import type { Decoded } from './decode/decode-revision.js';
import { readContent } from './decode/load-meshes.js';
import type { DecoderMessage } from './decoder.js';
import { type DecoderTask, HeldFiles, knownAfter, newsOf, nothingKnown } from './decoder-border.js';

const port = present(parentPort, 'the port of the thread');

const files = new HeldFiles();
let known = nothingKnown;
/** Files that this thread has survived. */
const survived = new WeakSet<SourceFile>();

port.on('message', (task: DecoderTask) => {
  const combination = combineRevisions(files.unpack(task), memo(read));
  const news = newsOf(known, combination);
  known = knownAfter(known, combination);
  post({ kind: 'combined', news });
});

post({ kind: 'ready' });

function read(revision: IdentifiedContent): Decoded {
  const { repository = '', id } = revision;
  if (revision.files.some((file) => !survived.has(file))) {
    post({ kind: 'reading', repository, id });
  }
  const decoded = readContent(revision);
  for (const file of revision.files) {
    survived.add(file);
  }
  return decoded;
}

function post(message: DecoderMessage): void {
  port.postMessage(message);
}
