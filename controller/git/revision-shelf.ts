/**
 * The files of revisions, for people who want to read them: the newest ones as the source handed them on,
 * older ones read from Git again when somebody asks. What is served never depends on it.
 */
import type { Revision } from '../base/revision.js';
import type { Clock } from '../loop/ports.js';
import { isPlainDirectory } from './open-source.js';
import { type RevisionToRead, readRevision } from './read-revision.js';
import { parseRepository } from './repository.js';

export interface RevisionShelf {
  /** Takes up a revision that the source has read. */
  keep(revision: Revision): void;
  /** The kept revision of that id. */
  newest(id: string): Revision | undefined;
  /** The revision of that id; undefined where a plain directory has forgotten it. Throws `OpError`. */
  find(id: string): Promise<Revision | undefined>;
}

/** Together at most; the newest is always kept. */
const bytesMax = 32 * 1024 * 1024;

export function createRevisionShelf(
  settings: Omit<RevisionToRead, 'revision'>,
  deps: { readonly clock: Clock },
): RevisionShelf {
  /** Newest last. */
  let kept: readonly Revision[] = [];
  /** One at a time: a page that is opened often must not become a burst of fetches. */
  let last: Promise<unknown> = Promise.resolve();
  const keep = (revision: Revision): void => {
    kept = withinLimit([...kept.filter(({ id }) => id !== revision.id), revision]);
  };
  const newest = (id: string) => kept.find((revision) => revision.id === id);
  const read = async (id: string): Promise<Revision | undefined> => {
    const known = newest(id);
    if (known !== undefined || !isCommitId(id) || !isGit(settings.repo)) {
      return known;
    }
    const revision = await readRevision({ ...settings, revision: id }, deps);
    // Put first: what was asked for goes before what is new.
    kept = withinLimit([revision, ...kept]);
    return revision;
  };
  return {
    keep,
    newest,
    find: (id) => {
      const next = last.then(() => read(id));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

function withinLimit(revisions: readonly Revision[]): readonly Revision[] {
  let bytes = 0;
  const isWithin = (revision: Revision, index: number): boolean => {
    bytes += revision.files.reduce((sum, file) => sum + file.bytes.length, 0);
    return index === 0 || bytes <= bytesMax;
  };
  return [...revisions].reverse().filter(isWithin).reverse();
}

function isCommitId(id: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id);
}

function isGit(repo: string): boolean {
  const { transport, url } = parseRepository(repo);
  return !(transport === 'file' && !url.startsWith('file:') && isPlainDirectory(url));
}
