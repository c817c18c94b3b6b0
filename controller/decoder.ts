/**
 * Reads revisions in a thread of its own: ten thousand files take seconds, in which proxies still want
 * their answers, and whatever bytes a commit has can then end that thread and nothing else.
 */
import { Worker } from 'node:worker_threads';
import { assertNever } from './base/assert.js';
import { errorText, OpError } from './base/op-error.js';
import type { Problem } from './base/problem.js';
import type {
  Combination,
  CombineInput,
  IdentifiedContent,
  RepositoryRevisions,
} from './decode/combine-revisions.js';
import {
  type CombinationNews,
  type KnownMeshes,
  knownAfter,
  nothingKnown,
  SentFiles,
  takeNews,
} from './decoder-border.js';
import { shareMesh } from './diff/share.js';
import type { ProviderName } from './mesh/gates.js';
import type { Mesh } from './mesh/model.js';

/** Problems of the reader itself: HG08xx. */
export const decoderProblemCodes = {
  HG0801: 'a revision that could not be read to its end',
} as const;

/** The largest repository within the source's limits takes a fraction of it. */
const timeoutMs = 120_000;

/** 32 MiB of YAML, its tree and its positions; what needs more is an attack or a mistake. */
const heapMaxMb = 1024;

/** How soon a thread that could not start is worth another try: descriptors come and go. */
const startRetryMs = 1_000;

/**
 * What the thread answers: `ready` once it can take tasks, `reading` before each revision that has files
 * which it never read.
 */
export type DecoderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reading'; readonly repository: string; readonly id: string }
  | { readonly kind: 'combined'; readonly news: CombinationNews };

/** A thread, and what crossed its border last. */
interface Thread {
  readonly worker: Worker;
  readonly files: SentFiles;
  known: KnownMeshes;
  /** False: whatever ends it has nothing to do with what it is to read. */
  isReady: boolean;
}

const nothingServed: ReadonlyMap<string, Mesh> = new Map();

export class Decoder {
  private thread: Thread | undefined;
  private isStopped = false;
  /** One task at a time: the newest is what counts, and order must stay. */
  private last: Promise<unknown> = Promise.resolve();
  /** Revisions that a thread died of, which are not read again. */
  private readonly deadly = new Map<string, Problem>();

  /** `providers` are those of the configuration: a gate that names another is an error. */
  constructor(private readonly providers: readonly ProviderName[]) {}

  /**
   * What `repositories` are together, where the meshes called `served` are. A revision that the thread dies
   * of has a problem that says so, and the others are read without it. What is equal to a resource of
   * `desired`, by the meshes' names, comes as that object. Throws `OpError` `reader-cannot-start` where the
   * machine has no room for the thread.
   */
  load(
    repositories: readonly RepositoryRevisions[],
    served: readonly string[] = [],
    desired: ReadonlyMap<string, Mesh> = nothingServed,
  ): Promise<Combination> {
    const next = this.last.then(() => this.combine(repositories, served, desired));
    this.last = next.catch(() => undefined);
    return next;
  }

  /** What is being read then comes to nothing, and nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.thread?.worker.terminate();
    this.thread = undefined;
  }

  private async combine(
    repositories: readonly RepositoryRevisions[],
    served: readonly string[],
    desired: ReadonlyMap<string, Mesh>,
  ): Promise<Combination> {
    this.forgetDeadly(repositories);
    const newest = repositories.flatMap(({ attempted }) => (attempted ? [keyOf(attempted)] : []));
    while (!this.isStopped) {
      const harmless = repositories.map((one) => ({
        ...one,
        accepted: one.accepted && this.harmless(one.accepted),
        attempted: one.attempted && this.harmless(one.attempted),
      }));
      const thread = this.thread ?? this.start();
      const task = { repositories: harmless, served, providers: this.providers };
      const answer = await this.run(thread, task);
      if ('news' in answer) {
        return takeAnswer(thread, answer.news, desired);
      }
      if (!thread.isReady) {
        throw cannotStart(answer.why);
      }
      // It died between two revisions, or of one that it was kept from: then it may be any of the new ones.
      const blamed = answer.at === undefined || this.deadly.has(answer.at) ? newest : [answer.at];
      if (blamed.every((key) => this.deadly.has(key))) {
        break;
      }
      for (const key of blamed) {
        this.deadly.set(key, unreadable(answer.why));
      }
    }
    return { origins: new Map(), verdicts: new Map() };
  }

  /** One that ends while it has nothing to do is nobody's fault: the next task starts another. */
  private start(): Thread {
    const thread = startThread();
    const ended = () => {
      if (this.thread === thread) {
        this.thread = undefined;
      }
    };
    thread.worker.on('error', ended).on('exit', ended);
    this.thread = thread;
    return thread;
  }

  /** Only what may come again is remembered. */
  private forgetDeadly(repositories: readonly RepositoryRevisions[]): void {
    const current = repositories.flatMap(({ accepted, attempted }) => [accepted, attempted]);
    const keys = new Set(current.flatMap((one) => (one === undefined ? [] : [keyOf(one)])));
    for (const key of this.deadly.keys()) {
      if (!keys.has(key)) {
        this.deadly.delete(key);
      }
    }
  }

  /** Without files where they were deadly. */
  private harmless(revision: IdentifiedContent): IdentifiedContent {
    const problem = this.deadly.get(keyOf(revision));
    return problem === undefined
      ? revision
      : { ...revision, files: [], problems: [...revision.problems, problem] };
  }

  private run(thread: Thread, task: CombineInput): Promise<Answer> {
    const { worker, files } = thread;
    return new Promise((resolve) => {
      let at: string | undefined;
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        worker.off('message', hear).off('error', failed).off('exit', exited).unref();
        resolve(answer);
      };
      const hear = (message: DecoderMessage) => {
        switch (message.kind) {
          case 'ready':
            thread.isReady = true;
            break;
          case 'reading':
            at = keyOf(message);
            break;
          case 'combined':
            settle(message);
            break;
          default:
            assertNever(message);
        }
      };
      const giveUp = (why: string) => {
        this.thread = undefined;
        void worker.terminate();
        settle({ why, at });
      };
      const failed = (error: unknown) => giveUp(errorText(error));
      const exited = (code: number) => giveUp(`its thread ended with ${code}`);
      const timer = setTimeout(() => giveUp(`it took more than ${timeoutMs / 1000} s`), timeoutMs);
      worker.on('message', hear).on('error', failed).on('exit', exited).ref();
      worker.postMessage(files.pack(task));
    });
  }
}

type Answer =
  | { readonly news: CombinationNews }
  /** The thread died, `at` the revision that it read last. */
  | { readonly why: string; readonly at: string | undefined };

function keyOf({ repository = '', id }: { readonly repository?: string; readonly id: string }) {
  return JSON.stringify([repository, id]);
}

function startThread(): Thread {
  const worker = new Worker(new URL('./decoder-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: heapMaxMb },
  });
  return { worker, files: new SentFiles(), known: nothingKnown, isReady: false };
}

/** What `news` say, with the objects of `desired`, which whoever gets it compares it with, where it can be. */
function takeAnswer(
  thread: Thread,
  news: CombinationNews,
  desired: ReadonlyMap<string, Mesh>,
): Combination {
  const taken = takeNews(thread.known, news);
  const meshes = taken.meshes?.map((mesh) => shareMesh(desired.get(mesh.name), mesh));
  const combination = { ...taken, ...(meshes === undefined ? {} : { meshes }) };
  thread.known = knownAfter(thread.known, combination);
  return combination;
}

function cannotStart(why: string): OpError {
  return new OpError(
    'reader-cannot-start',
    `the thread that reads commits cannot start (${why}); look at the limits on open files and memory`,
    { retry: { kind: 'after', ms: startRetryMs } },
  );
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
