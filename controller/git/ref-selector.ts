/**
 * Which commit of a repository is deployed: the head of a branch, a tag, the newest tag in a semver range,
 * or one commit. A question to the server answers it before anything is fetched.
 */
import { maxSatisfying, validRange } from 'semver';
import { OpError } from '../base/op-error.js';
import type { Remote } from './remote.js';
import { checkBranch } from './repository.js';

export type RefSelector =
  | { readonly kind: 'branch' | 'tag'; readonly name: string }
  /** Tags are read as versions with or without a `v`; others are passed over. */
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'commit'; readonly id: string };

export interface RefNames {
  readonly branch: string;
  readonly tag?: string;
  readonly semver?: string;
  readonly commit?: string;
}

export interface SelectedRef {
  /** The commit that it means now. */
  readonly commitId: string;
  /** What is fetched: a full ref name or an object id. */
  readonly source: string;
  /** For people: `main`, `v1.4.2`, the first characters of an id. */
  readonly name: string;
}

/** Names that an error lists, so that a typing mistake shows. */
const namedMax = 5;

/**
 * The most exact of `names`: commit, then range, then tag, then branch.
 * @throws OpError (stalled) `branch-refused`, `tag-refused`, `semver-refused`, `commit-refused`.
 */
export function refSelector({ branch, tag, semver, commit }: RefNames): RefSelector {
  if (commit !== undefined) {
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) {
      throw refused('commit', 'it is no full commit id of 40 or 64 lower-case hexadecimal digits');
    }
    return { kind: 'commit', id: commit };
  }
  if (semver !== undefined) {
    if (validRange(semver) === null) {
      throw refused('semver', `\`${semver}\` is no range of versions, as ^1.4 or >=1.2.0 <2`);
    }
    return { kind: 'semver', range: semver };
  }
  return tag === undefined
    ? { kind: 'branch', name: checkBranch(branch) }
    : { kind: 'tag', name: checkBranch(tag, 'tag') };
}

/**
 * What `selector` means at this moment.
 * @throws OpError `branch-missing`, `tag-missing`, `semver-missing` or `empty-repository`.
 */
export async function selectRef(remote: Remote, selector: RefSelector): Promise<SelectedRef> {
  switch (selector.kind) {
    case 'commit': {
      const { id } = selector;
      return { commitId: id, source: id, name: id.slice(0, 12) };
    }
    case 'branch':
      return (
        (await findRef(remote, `refs/heads/${selector.name}`, selector.name)) ??
        (await refMissing(remote, 'branch', selector.name))
      );
    case 'tag':
      return (
        (await findRef(remote, `refs/tags/${selector.name}`, selector.name)) ??
        (await refMissing(remote, 'tag', selector.name))
      );
    case 'semver':
      return selectVersion(remote, selector.range);
  }
}

async function findRef(
  remote: Remote,
  ref: string,
  name: string,
): Promise<SelectedRef | undefined> {
  const refs = await remote.listRefs([ref, `${ref}^{}`]);
  // The second is the commit that an annotated tag is on.
  const commitId = refs.get(`${ref}^{}`) ?? refs.get(ref);
  return commitId === undefined ? undefined : { commitId, source: ref, name };
}

async function selectVersion(remote: Remote, range: string): Promise<SelectedRef> {
  const refs = await remote.listRefs(['refs/tags/*']);
  const tags = [...refs.keys()].flatMap(
    (ref) => /^refs\/tags\/(.+?)(?:\^\{\})?$/.exec(ref)?.[1] ?? [],
  );
  const newest = maxSatisfying([...new Set(tags)].filter(isSafeName), range);
  const found = newest === null ? undefined : await findRef(remote, `refs/tags/${newest}`, newest);
  return found ?? refMissing(remote, 'semver', range);
}

/** A server may name anything; what git would not take as a ref of ours is no tag. */
function isSafeName(name: string): boolean {
  return /^v?\d[0-9A-Za-z.+-]*$/.test(name);
}

async function refMissing(
  remote: Remote,
  kind: 'branch' | 'tag' | 'semver',
  name: string,
): Promise<never> {
  const all = await remote.listRefs([]);
  if (all.size === 0) {
    const what = kind === 'branch' ? `branch ${name}` : 'a commit and a tag';
    throw new OpError('empty-repository', `the repository has no commits; push ${what}`);
  }
  const folder = kind === 'branch' ? 'heads' : 'tags';
  const known = [...all.keys()].flatMap((ref) =>
    ref.startsWith(`refs/${folder}/`) && !ref.endsWith('^{}') ? [ref.slice(folder.length + 6)] : [],
  );
  const named = known.slice(0, namedMax).join(', ') || 'none';
  const more = known.length > namedMax ? ', …' : '';
  const plural = kind === 'branch' ? 'branches' : 'tags';
  const missing =
    kind === 'semver' ? `no tag is a version in ${name}` : `${kind} ${name} does not exist`;
  throw new OpError(`${kind}-missing`, `${missing}; the repository's ${plural}: ${named}${more}`);
}

function refused(what: string, reason: string): OpError {
  return new OpError(`${what}-refused`, `${what} refused: ${reason}`, {
    retry: { kind: 'stalled' },
  });
}
