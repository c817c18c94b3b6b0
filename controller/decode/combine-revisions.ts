/**
 * What several repositories are together. Of each the newest revision is taken where it goes together with
 * what is taken of the others; where it does not, the last one that did stays, so a bad commit holds up no
 * other repository. No repository goes before another. With one repository it is that one's revision or
 * nothing.
 */
import { hasErrors, type Problem } from '../base/problem.js';
import type { ProviderName } from '../mesh/gates.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import { type Origins, originsByFile } from '../mesh/origins.js';
import type { Decoded } from './decode-revision.js';
import { limitProblems, linkContents, type RevisionContent } from './load-meshes.js';

/** Problems that only the comparison with what is served, or with other repositories, can find: HG07xx. */
export const combineProblemTitles = {
  HG0701: 'a mesh that is served is missing from the revision',
  HG0702: 'a new mesh of which a part may be missing',
} as const;

/** A revision as far as it counts here; no two of one repository share an id. */
export type IdentifiedContent = RevisionContent & { readonly id: string };

export interface RepositoryRevisions {
  /** Its name in the configuration; empty where it is the only one. */
  readonly name: string;
  /** The newest revision that was accepted before. */
  readonly accepted?: IdentifiedContent;
  /** The newest revision; undefined where the repository was not read yet. */
  readonly attempted?: IdentifiedContent;
}

export interface CombineInput {
  readonly repositories: readonly RepositoryRevisions[];
  /** Names of the meshes that are served already. */
  readonly served: readonly string[];
  readonly providers: readonly ProviderName[];
}

export interface Combination {
  /** Sorted by name; undefined where nothing that goes together was accepted. */
  readonly meshes?: readonly Mesh[];
  /** Where each resource of `meshes` stands; without those it means nothing. */
  readonly origins: Origins;
  /** What became of each newest revision, by the repository's name. */
  readonly verdicts: ReadonlyMap<string, RevisionVerdict>;
}

export interface RevisionVerdict {
  readonly isAccepted: boolean;
  /** In the order of `compareProblems`, at most `problemsMax` and one that counts the rest. */
  readonly problems: readonly Problem[];
}

/** Revisions by the name of their repository. */
type Chosen = ReadonlyMap<string, IdentifiedContent>;

type Linked = ReturnType<typeof linkContents>;

/** `read` is `readContent`, which may remember what it read. */
export function combineRevisions(
  input: CombineInput,
  read: (revision: IdentifiedContent) => Decoded,
): Combination {
  const { repositories } = input;
  const link = linker(input, read);
  const before: Chosen = new Map(
    repositories.flatMap(({ name, accepted }) => (accepted ? [[name, accepted] as const] : [])),
  );
  const pending = repositories.flatMap(({ name, accepted, attempted }) =>
    attempted === undefined || attempted.id === accepted?.id ? [] : [[name, attempted] as const],
  );
  const open = pending.filter(([, revision]) => !hasErrors(read(revision).problems));
  const chosen = oneByOne(together(before, open, link), open, link);
  const result = link(chosen);
  const isUsable = chosen.size > 0 && !hasErrors(result.problems);
  const left = open.filter(([name, revision]) => chosen.get(name) !== revision);
  const verdicts = repositories.flatMap(({ name, attempted }) => {
    if (attempted === undefined) {
      return [];
    }
    const isAccepted = isUsable && chosen.get(name)?.id === attempted.id;
    // What is rejected is shown beside all that is newest: the other one of a clash may be among it.
    const shown = isAccepted ? result : link(new Map([...chosen, ...left, [name, attempted]]));
    const problems = problemsOf(name, shown.problems, isAccepted);
    return [
      [name, { isAccepted, problems: limitProblems(problems, read(attempted).omitted) }],
    ] as const;
  });
  return {
    ...(isUsable ? { meshes: result.meshes } : {}),
    origins: originsByFile(result.origins),
    verdicts: new Map(verdicts),
  };
}

/**
 * `before` with as many of `open` as go together: commits of two repositories may need one another. Where
 * some do not, those that the errors lie in are left out.
 */
function together(
  before: Chosen,
  open: readonly (readonly [string, IdentifiedContent])[],
  link: (chosen: Chosen) => Linked,
): Chosen {
  let candidates = open;
  while (candidates.length > 0) {
    const chosen = new Map([...before, ...candidates]);
    const errors = link(chosen).problems.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) {
      return chosen;
    }
    const blamed = new Set(errors.map(({ repository = '' }) => repository));
    const rest = candidates.filter(([name]) => !blamed.has(name));
    if (rest.length === candidates.length) {
      return before;
    }
    candidates = rest;
  }
  return before;
}

/** `chosen` and every one of `open` that goes together with it, until none does. */
function oneByOne(
  chosen: Chosen,
  open: readonly (readonly [string, IdentifiedContent])[],
  link: (chosen: Chosen) => Linked,
): Chosen {
  const next = open
    .filter(([name, revision]) => chosen.get(name) !== revision)
    .map((one) => new Map([...chosen, one]))
    .find((candidate) => !hasErrors(link(candidate).problems));
  return next === undefined ? chosen : oneByOne(next, open, link);
}

/** Errors in its own files are a repository's own; where it has none, what it breaks elsewhere is. */
function problemsOf(
  name: string,
  problems: readonly Problem[],
  isAccepted: boolean,
): readonly Problem[] {
  const own = problems.filter(({ repository = '' }) => repository === name);
  return isAccepted || hasErrors(own)
    ? own
    : [...own, ...problems.filter((one) => one.severity === 'error' && !own.includes(one))];
}

/** Links what is chosen, each choice once, and compares it with what is served. */
function linker(
  { repositories, served, providers }: CombineInput,
  read: (revision: IdentifiedContent) => Decoded,
): (chosen: Chosen) => Linked {
  const known = new Map<string, Linked>();
  const isServed = new Set(served);
  return (chosen) => {
    const key = JSON.stringify([...chosen].map(([name, { id }]) => [name, id]));
    const linked = known.get(key) ?? linkContents([...chosen.values()].map(read), providers);
    known.set(key, linked);
    if (hasErrors(linked.problems)) {
      return linked;
    }
    const missing = repositories.filter(({ name }) => !chosen.has(name));
    const names = new Set(linked.meshes.map(({ name }) => name));
    const found = [
      ...findVanishedMeshes(served, linked.meshes),
      ...[...names]
        .filter((name) => !isServed.has(name))
        .flatMap((name) =>
          missing.filter(mayName(name, read)).slice(0, 1).map(waitsFor(name, linked)),
        ),
    ];
    return { ...linked, problems: [...linked.problems, ...found] };
  };
}

/**
 * A revision that drops a whole mesh is taken for a mistake (an emptied folder, a wrong sub-path), since
 * obeying it would take every route from every proxy.
 */
export function findVanishedMeshes(
  served: Iterable<string>,
  meshes: readonly Mesh[],
): readonly Problem[] {
  const names = new Set(meshes.map(({ name }) => name));
  return [...served]
    .filter((name) => !names.has(name))
    .sort()
    .map((name) => ({
      code: 'HG0701',
      severity: 'error',
      message:
        `mesh ${name} is served and this revision has no Mesh of that name; ` +
        'bring it back, or start the controller with a new state to give it up',
      file: '',
      line: 0,
      column: 0,
      resource: `Mesh ${name}`,
    }));
}

/** True of a repository that may have a part of mesh `mesh`: it was not read yet, or names it. */
function mayName(mesh: string, read: (revision: IdentifiedContent) => Decoded) {
  return ({ attempted }: RepositoryRevisions): boolean => {
    if (attempted === undefined) {
      return true;
    }
    const { documents, unreadNames } = read(attempted);
    return unreadNames.has(mesh) || documents.some((document) => document.mesh === mesh);
  };
}

/** A mesh is not begun with a part of it: its proxies would lose what the rest gives them. */
function waitsFor(mesh: string, { origins }: Linked) {
  return ({ name, attempted }: RepositoryRevisions): Problem => {
    const origin = origins.get(resourceKey({ mesh, kind: 'Mesh', name: mesh }));
    const why =
      attempted === undefined
        ? `repository ${name}, which may have a part of it, could not be read yet`
        : `the revision of repository ${name}, which has a part of it, was rejected`;
    return {
      code: 'HG0702',
      severity: 'error',
      message: `mesh ${mesh} is new, and ${why}; it is taken as soon as that is mended`,
      file: '',
      line: 0,
      column: 0,
      ...origin,
      resource: `Mesh ${mesh}`,
    };
  };
}
