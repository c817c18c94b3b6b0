/**
 * Reads revisions in a thread of its own: ten thousand files take seconds, in which proxies still want
 * their answers, and whatever bytes a commit has can then end that thread and nothing else.
 */
import { Worker } from 'node:worker_threads';
import { errorText } from './base/op-error.js';
import type { Problem } from './base/problem.js';
import type { Revision } from './base/revision.js';
import type { LoadedMeshes } from './decode/load-meshes.js';
import type { ProviderName } from './mesh/gates.js';

/** Problems of the reader itself: HG08xx. */
export const decoderProblemCodes = {
  HG0801: 'a revision that could not be read to its end',
} as const;

/** The largest repository within the source's limits takes a fraction of it. */
const timeoutMs = 120_000;

/** 32 MiB of YAML, its tree and its positions; what needs more is an attack or a mistake. */
const heapMaxMb = 1024;

/** What the thread is sent. */
export interface DecoderTask {
  readonly revision: Revision;
  readonly providers: readonly ProviderName[];
}

export class Decoder {
  private worker: Worker | undefined;
  /** One revision at a time: the newest is what counts, and order must stay. */
  private last: Promise<unknown> = Promise.resolve();

  /** `providers` are those of the configuration: a gate that names another is an error. */
  constructor(private readonly providers: readonly ProviderName[]) {}

  /** The meshes of `revision`; where the thread dies of it, a problem that says so. Never throws. */
  load(revision: Revision): Promise<LoadedMeshes> {
    const next = this.last.then(() => this.run(revision));
    this.last = next;
    return next;
  }

  async stop(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private run(revision: Revision): Promise<LoadedMeshes> {
    const worker = this.worker ?? startWorker();
    this.worker = worker;
    return new Promise((resolve) => {
      const settle = (loaded: LoadedMeshes) => {
        clearTimeout(timer);
        worker.off('message', settle).off('error', failed).off('exit', exited).unref();
        resolve(loaded);
      };
      const giveUp = (why: string) => {
        this.worker = undefined;
        void worker.terminate();
        settle({ meshes: [], origins: new Map(), problems: [unreadable(why)] });
      };
      const failed = (error: unknown) => giveUp(errorText(error));
      const exited = (code: number) => giveUp(`its thread ended with ${code}`);
      const timer = setTimeout(() => giveUp(`it took more than ${timeoutMs / 1000} s`), timeoutMs);
      worker.on('message', settle).on('error', failed).on('exit', exited).ref();
      worker.postMessage({ revision, providers: this.providers } satisfies DecoderTask);
    });
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./decoder-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: heapMaxMb },
  });
}

function unreadable(why: string): Problem {
  return {
    code: 'HG0801',
    severity: 'error',
    message: `this revision could not be read: ${why}; look for a file that is much larger or deeper than the others`,
    file: '',
    line: 0,
    column: 0,
  };
}
