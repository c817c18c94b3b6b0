/**
 * Reads revisions in a thread of its own: ten thousand files take seconds, in which proxies still want
 * their answers, and whatever bytes a commit has can then end that thread and nothing else.
 */
import { Worker } from 'node:worker_threads';
import { errorText } from './base/op-error.js';
import type { Problem } from './base/problem.js';
import type {
  Combination,
  CombineInput,
  IdentifiedContent,
  RepositoryRevisions,
} from './decode/combine-revisions.js';
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
export type DecoderTask = CombineInput;

/** What it answers: `reading` before each revision that it reads for the first time. */
export type DecoderMessage =
  | { readonly kind: 'reading'; readonly repository: string; readonly id: string }
  | { readonly kind: 'combined'; readonly combination: Combination };

export class Decoder {
  private worker: Worker | undefined;
  private isStopped = false;
  /** One task at a time: the newest is what counts, and order must stay. */
  private last: Promise<unknown> = Promise.resolve();
  /** Revisions that a thread died of, which are not read again. */
  private readonly deadly = new Map<string, Problem>();

  /** `providers` are those of the configuration: a gate that names another is an error. */
  constructor(private readonly providers: readonly ProviderName[]) {}

  /**
   * What `repositories` are together, where the meshes `served` are. A revision that the thread dies of has
   * a problem that says so, and the others are read without it. Never throws.
   */
  load(
    repositories: readonly RepositoryRevisions[],
    served: readonly string[] = [],
  ): Promise<Combination> {
    const next = this.last.then(() => this.combine(repositories, served));
    this.last = next;
    return next;
  }

  /** What is being read then comes to nothing, and nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private async combine(
    repositories: readonly RepositoryRevisions[],
    served: readonly string[],
  ): Promise<Combination> {
    this.forgetDeadly(repositories);
    const newest = repositories.flatMap(({ attempted }) => (attempted ? [keyOf(attempted)] : []));
    while (!this.isStopped) {
      const harmless = repositories.map((one) => ({
        ...one,
        accepted: one.accepted && this.harmless(one.accepted),
        attempted: one.attempted && this.harmless(one.attempted),
      }));
      const answer = await this.run({ repositories: harmless, served, providers: this.providers });
      if ('combination' in answer) {
        return answer.combination;
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

  private run(task: DecoderTask): Promise<Answer> {
    const worker = this.worker ?? startWorker();
    this.worker = worker;
    return new Promise((resolve) => {
      let at: string | undefined;
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        worker.off('message', hear).off('error', failed).off('exit', exited).unref();
        resolve(answer);
      };
      const hear = (message: DecoderMessage) => {
        if (message.kind === 'combined') {
          settle(message);
        } else {
          at = keyOf(message);
        }
      };
      const giveUp = (why: string) => {
        this.worker = undefined;
        void worker.terminate();
        settle({ why, at });
      };
      const failed = (error: unknown) => giveUp(errorText(error));
      const exited = (code: number) => giveUp(`its thread ended with ${code}`);
      const timer = setTimeout(() => giveUp(`it took more than ${timeoutMs / 1000} s`), timeoutMs);
      worker.on('message', hear).on('error', failed).on('exit', exited).ref();
      worker.postMessage(task);
    });
  }
}

type Answer =
  | { readonly combination: Combination }
  /** The thread died, `at` the revision that it read last. */
  | { readonly why: string; readonly at: string | undefined };

function keyOf({ repository = '', id }: { readonly repository?: string; readonly id: string }) {
  return JSON.stringify([repository, id]);
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
