/**
 * The documents of one mesh by kind and name, and the one way in which a reference is looked up in
 * them: a missing resource is reported with the nearest name that exists, unless it may be in a
 * file that could not be read.
 */
import { groupBy } from '../base/group-by.js';
import { nearestName } from '../base/nearest-name.js';
import type { DeclaredResource, FieldPath, MeshDocument } from './document.js';
import type { ResourceKind } from './model.js';
import type { Report } from './problems.js';

export interface Scope {
  readonly mesh: string;
  /** The documents whose resource is known, with it, in the order of files and lines; of duplicates the first. */
  readonly declared: ReadonlyMap<
    ResourceKind,
    readonly (readonly [MeshDocument, DeclaredResource])[]
  >;
  readonly byKey: ReadonlyMap<string, MeshDocument>;
  readonly unreadNames: ReadonlySet<string>;
  /** The name of a document of `kind` that is nearest to `name`. */
  readonly suggest: (kind: ResourceKind, name: string) => string | undefined;
  readonly report: Report;
}

/**
 * Comparisons of names for suggestions, at most: each takes some 25 µs, and a large mesh with more
 * dangling references than are ever shown would otherwise take minutes.
 */
const comparisonsMax = 20_000;

export function scopeOf(
  mesh: string,
  documents: readonly MeshDocument[],
  options: { readonly unreadNames: ReadonlySet<string>; readonly report: Report },
): Scope {
  const byKey = new Map(documents.map((document) => [keyOf(document), document]));
  const byKind = groupBy(documents, ({ kind }) => [kind]);
  const declaredByKind = groupBy(
    documents.flatMap((document) =>
      document.resource === undefined ? [] : [[document, document.resource] as const],
    ),
    ([, { kind }]) => [kind],
  );
  let comparisonsLeft = comparisonsMax;
  const suggest: Scope['suggest'] = (kind, name) => {
    const ofKind = byKind.get(kind) ?? [];
    comparisonsLeft -= ofKind.length;
    return comparisonsLeft < 0
      ? undefined
      : nearestName(
          name,
          ofKind.map((document) => document.name),
        );
  };
  return { mesh, declared: declaredByKind, byKey, suggest, ...options };
}

function keyOf({ kind, name }: Pick<MeshDocument, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}

/** The documents of `kind` whose resource is known, with it. */
export function declared<Kind extends ResourceKind>(
  scope: Scope,
  kind: Kind,
): readonly (readonly [MeshDocument, Extract<DeclaredResource, { kind: Kind }>])[] {
  return (scope.declared.get(kind) ?? []) as ReturnType<typeof declared<Kind>>;
}

function isKind<Kind extends ResourceKind>(
  resource: DeclaredResource | undefined,
  kind: Kind,
): resource is Extract<DeclaredResource, { kind: Kind }> {
  return resource?.kind === kind;
}

/**
 * What `document` names at `path`, reported as HG0401 where it does not exist. Undefined also where
 * it exists and has errors of its own, which are reported there.
 */
export function lookUp<Kind extends ResourceKind>(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  target: { readonly kind: Kind; readonly name: string },
): Extract<DeclaredResource, { kind: Kind }> | undefined {
  const { kind, name } = target;
  const found = scope.byKey.get(keyOf(target));
  if (found !== undefined) {
    return isKind(found.resource, kind) ? found.resource : undefined;
  }
  if (!scope.unreadNames.has(name)) {
    const suggestion = scope.suggest(kind, name);
    const hint =
      suggestion === undefined ? 'add it, or correct the name' : `did you mean ${suggestion}?`;
    const text = `${kind} ${name} is not in mesh ${scope.mesh}; ${hint}`;
    scope.report(document, 'HG0401', path, text, { found: name, suggestion });
  }
  return undefined;
}
