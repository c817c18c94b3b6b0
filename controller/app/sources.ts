/**
 * Every repository of the configuration, polled each at its own pace and read together: whatever one of
 * them has that is new becomes one reading of all of them, and the newest reading is all that counts. A
 * repository that cannot be reached, or has a bad commit, holds up no other.
 */
import { failpoint } from '../base/failpoint.js';
import { OpError } from '../base/op-error.js';
import { onlyRepository, type Revision } from '../base/revision.js';
import type { Combination, IdentifiedContent } from '../decode/combine-revisions.js';
import type { Decoder } from '../decoder.js';
import type { LoopEvent, RepositoryReading } from '../loop/events.js';
import type { Clock, Logger, Source, SourceEvent } from '../loop/ports.js';
import type { DurableState, RepositoryText } from '../loop/state.js';
import type { RevisionInfo } from '../rollout/rollout.js';
import type { Observer } from '../telemetry/observer.js';

export interface NamedSource {
  /** Empty where it is the only one. */
  readonly name: string;
  readonly source: Source;
}

export interface SourcesOptions {
  readonly sources: readonly NamedSource[];
  readonly decoder: Decoder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  /** What is kept: what was accepted before the start, and the meshes that are served. */
  readonly durable: () => Pick<DurableState, 'texts' | 'meshes'>;
  readonly onEvent: (event: LoopEvent) => void;
  /** A revision was read, whatever becomes of it. */
  readonly onRevision: (revision: Revision) => void;
}

interface Repository extends NamedSource {
  /** It said what it has, or that it cannot. */
  hasAnswered: boolean;
  accepted?: IdentifiedContent;
  attempted?: Revision;
}

export class Sources {
  private readonly options: SourcesOptions;
  private readonly repositories: readonly Repository[];
  /** Repositories whose newest revision is in no reading yet. */
  private readonly fresh = new Set<string>();
  private isReading = false;
  private cancelRetry = (): void => {};
  private isStopped = false;
  /** Meshes of the newest reading: the loop may not have come to it yet. */
  private readMeshes: readonly string[] = [];

  constructor(options: SourcesOptions) {
    this.options = options;
    const { texts } = options.durable();
    this.repositories = options.sources.map(({ name, source }) => {
      const text = texts.get(name);
      return { name, source, hasAnswered: false, accepted: text && contentOf(name, text) };
    });
  }

  start(): void {
    for (const repository of this.repositories) {
      repository.source.start((event, startedAtMs) => {
        const toMs = this.options.clock.now();
        this.options.observer.polled(event, { fromMs: startedAtMs, toMs });
        this.take(repository, event);
      });
    }
  }

  /** Asks the repository of that name now, or all of them, instead of at the next poll. */
  pollNow(name?: string): void {
    for (const repository of this.repositories) {
      if (name === undefined || name === repository.name) {
        repository.source.pollNow();
      }
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelRetry();
    await Promise.all(this.repositories.map(({ source }) => source.stop()));
  }

  private take(repository: Repository, event: SourceEvent): void {
    const { onEvent, onRevision } = this.options;
    const { name } = repository;
    this.log(name, event);
    repository.hasAnswered = true;
    switch (event.kind) {
      case 'revision':
        failpoint('source.read');
        repository.attempted =
          name === onlyRepository ? event.revision : { ...event.revision, repository: name };
        this.fresh.add(name);
        onRevision(repository.attempted);
        break;
      case 'unchanged':
        onEvent({ kind: 'sourceUnchanged', source: name });
        break;
      case 'failed':
        onEvent({ ...event, kind: 'sourceFailed', source: name });
        break;
    }
    void this.read();
  }

  /**
   * Reads what is new together with the rest. The first time it waits until each repository has answered
   * something: the parts of a mesh are then rejected for want of one another no more than they must.
   */
  private async read(): Promise<void> {
    const isKnown = this.repositories.every((one) => one.hasAnswered || one.accepted !== undefined);
    if (this.isReading || !isKnown) {
      return;
    }
    this.isReading = true;
    let isAble = true;
    while (isAble && this.fresh.size > 0) {
      isAble = await this.tryToRead([...this.fresh]);
    }
    this.isReading = false;
  }

  /** False where this machine cannot read anything now, whatever it is: then it is tried again soon. */
  private async tryToRead(sources: readonly string[]): Promise<boolean> {
    this.fresh.clear();
    try {
      await this.readTogether(sources);
      return true;
    } catch (error) {
      if (!(error instanceof OpError) || error.retry.kind !== 'after') {
        throw error;
      }
      const { code, message, retry } = error;
      for (const name of sources) {
        const event = { kind: 'failed', code, message, retryInMs: retry.ms } as const;
        this.log(name, event);
        this.options.onEvent({ ...event, kind: 'sourceFailed', source: name });
        this.fresh.add(name);
      }
      this.cancelRetry();
      this.cancelRetry = this.options.clock.after(retry.ms, () => void this.read());
      return false;
    }
  }

  private async readTogether(sources: readonly string[]): Promise<void> {
    const { clock, decoder, observer } = this.options;
    const revisions = this.repositories.map(({ name, accepted, attempted }) => ({
      ...{ name, accepted, attempted },
    }));
    const stored = this.options.durable().meshes;
    const served = new Set([...stored.keys(), ...this.readMeshes]);
    const desired = new Map([...stored].map(([name, mesh]) => [name, mesh.desired]));
    const fromMs = clock.now();
    const combination = await decoder.load(revisions, [...served], desired);
    if (this.isStopped) {
      return;
    }
    const period = { fromMs, toMs: clock.now() };
    this.readMeshes = combination.meshes?.map(({ name }) => name) ?? this.readMeshes;
    const repositories = this.repositories.map((repository, index) =>
      this.judge(repository, revisions[index]?.attempted, combination),
    );
    for (const { name, attempted, problems } of repositories) {
      if (attempted !== undefined && sources.includes(name)) {
        const errors = problems.filter(({ severity }) => severity === 'error').length;
        observer.decoded(attempted, errors, period);
      }
    }
    const { meshes, origins } = combination;
    this.options.onEvent({ kind: 'revisionsRead', sources, repositories, meshes, origins });
  }

  /** What became of `attempted`, which may be the newest one no more. */
  private judge(
    repository: Repository,
    attempted: Revision | undefined,
    { verdicts }: Combination,
  ): RepositoryReading {
    const { name } = repository;
    const verdict = verdicts.get(name);
    if (attempted === undefined || verdict === undefined) {
      return { name, isAccepted: false, problems: [] };
    }
    const isOnly = name === onlyRepository;
    if (verdict.isAccepted && !isOnly) {
      repository.accepted = attempted;
    }
    return {
      ...{ name, ...verdict, attempted: describe(attempted) },
      text: verdict.isAccepted && !isOnly ? textOf(attempted) : undefined,
    };
  }

  private log(name: string, event: SourceEvent): void {
    const { logger } = this.options;
    const of = name === onlyRepository ? {} : { repository: name };
    if (event.kind === 'revision') {
      const { id, ref, files } = event.revision;
      logger.info('revision.read', { ...of, revision: id, ref, files: files.length });
    } else if (event.kind === 'failed') {
      const { code, message, retryInMs } = event;
      logger.warn('source.failed', { ...of, code, message, retryInMs });
    }
  }
}

/** A commit title is shown in tables and chats: one line, not a page. */
const titleMax = 200;

function describe(revision: Revision): RevisionInfo {
  return {
    id: revision.id,
    repository: revision.repository,
    author: revision.author,
    title: (revision.message.split('\n')[0] ?? '').slice(0, titleMax),
    committedAtMs: revision.committedAtMs,
  };
}

/** What was accepted is UTF-8, so its text is all of it. */
function textOf({ id, files }: Revision): RepositoryText {
  return {
    id,
    files: files.map(({ path, bytes }) => ({ path, text: Buffer.from(bytes).toString('utf8') })),
  };
}

function contentOf(repository: string, { id, files }: RepositoryText): IdentifiedContent {
  return {
    ...{ id, repository, problems: [] },
    files: files.map(({ path, text }) => ({ path, bytes: Buffer.from(text, 'utf8') })),
  };
}
