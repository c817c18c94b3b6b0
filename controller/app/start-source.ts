/** From the repository to the loop: what was read is logged, kept, decoded in its thread and handed on. */
import { failpoint } from '../base/failpoint.js';
import type { Revision } from '../base/revision.js';
import type { Decoder } from '../decoder.js';
import type { RevisionShelf } from '../git/revision-shelf.js';
import type { LoopEvent } from '../loop/events.js';
import type { Clock, Logger, Source, SourceEvent } from '../loop/ports.js';
import type { RevisionInfo } from '../rollout/rollout.js';
import type { Observer } from '../telemetry/observer.js';

interface SourceDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly shelf: RevisionShelf;
  readonly enqueue: (event: LoopEvent) => void;
}

/** Starts `source`; each of its answers becomes an event of the loop. */
export function startSource(
  source: Source,
  decoder: Decoder,
  { clock, logger, observer, shelf, enqueue }: SourceDependencies,
): void {
  source.start((event, startedAtMs) => {
    logSource(event, logger);
    const nowMs = clock.now();
    observer.polled(event, { fromMs: startedAtMs, toMs: nowMs });
    switch (event.kind) {
      case 'revision':
        failpoint('source.read');
        shelf.keep(event.revision);
        void decoder.load(event.revision).then((loaded) => {
          const revision = describe(event.revision);
          const errors = loaded.problems.filter(({ severity }) => severity === 'error').length;
          observer.decoded(revision, errors, { fromMs: nowMs, toMs: clock.now() });
          enqueue({ kind: 'revisionRead', revision, ...loaded });
        });
        break;
      case 'unchanged':
        enqueue({ kind: 'sourceUnchanged' });
        break;
      case 'failed':
        enqueue({ ...event, kind: 'sourceFailed' });
        break;
    }
  });
}

function logSource(event: SourceEvent, logger: Logger): void {
  if (event.kind === 'revision') {
    const { id, ref, files } = event.revision;
    logger.info('revision.read', { revision: id, ref, files: files.length });
  } else if (event.kind === 'failed') {
    const { code, message, retryInMs } = event;
    logger.warn('source.failed', { code, message, retryInMs });
  }
}

/** A commit title is shown in tables and chats: one line, not a page. */
const titleMax = 200;

function describe(revision: Revision): RevisionInfo {
  return {
    id: revision.id,
    author: revision.author,
    title: (revision.message.split('\n')[0] ?? '').slice(0, titleMax),
    committedAtMs: revision.committedAtMs,
  };
}
