/**
 * One resource of a mesh as the API shows it: where it stands in Git and in which words, whether what is
 * served is what Git asks for, what refers to it, and the proxies that run because of it.
 */
import { onlyRepository } from '../base/revision.js';
import { diffFields } from '../diff/fields.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import { findResource, type Mesh, type ResourceKind, resourceKey } from '../mesh/model.js';
import { type Origin, originOf } from '../mesh/origins.js';
import { allResources, keyIn, referencesOf } from '../mesh/references.js';
import { isEnded } from '../rollout/rollout.js';
import { type ProxyView, viewProxy } from './proxy-view.js';

export interface ResourceView {
  readonly mesh: string;
  readonly kind: ResourceKind;
  readonly name: string;
  /**
   * - `synced`: what is served is what Git asks for.
   * - `new`, `changed`, `removed`: Git asks for it, and it is not applied yet.
   */
  readonly sync: 'synced' | 'new' | 'changed' | 'removed';
  /** Null where it stands in no file: Git removes it, or nothing was read since the start. */
  readonly source: {
    /** The repository's name in the configuration; undefined where there is only one. */
    readonly repository?: string;
    readonly file: string;
    readonly line: number;
    /** The commit's id. */
    readonly commit: string;
    /** The document's text; null where the commit's files are not at hand. */
    readonly yaml: string | null;
  } | null;
  /** What differs between applied and desired; paths as `targets[reviews-v2:9080].weight`. */
  readonly fields: readonly {
    readonly path: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }[];
  /** Keys `<mesh>/<Kind>/<name>`, sorted. */
  readonly references: readonly string[];
  readonly referencedBy: readonly string[];
  /** Ids of running rollouts that change it. */
  readonly rollouts: readonly string[];
  readonly proxies: readonly ProxyView[];
}

export interface ResourceMoment {
  readonly state: LoopState;
  readonly proxies: readonly ProxyStatus[];
  /** The text of a file of a commit; undefined where it is not at hand. */
  readonly textOf: (origin: Origin, commit: string) => string | undefined;
}

/** Undefined where neither the applied nor the desired mesh has it. */
export function viewResource(
  ref: { readonly mesh: string; readonly kind: ResourceKind; readonly name: string },
  { state, proxies, textOf }: ResourceMoment,
): ResourceView | undefined {
  const mesh = state.durable.meshes.get(ref.mesh);
  const before = mesh && findResource(mesh.applied, ref);
  const after = mesh && findResource(mesh.desired, ref);
  const current = after ?? before;
  if (mesh === undefined || current === undefined) {
    return undefined;
  }
  const key = resourceKey(ref);
  const fields = diffFields(before ?? {}, after ?? {});
  return {
    ...{ mesh: ref.mesh, kind: ref.kind, name: ref.name },
    sync: syncOf(before !== undefined, after !== undefined, fields.length),
    source: sourceOf(state, originOf(state.origins, key), textOf),
    fields: before === undefined || after === undefined ? [] : fields,
    references: referencesOf(ref.mesh, current).map(resourceKey).sort(),
    referencedBy: callersOf(after === undefined ? mesh.applied : mesh.desired, key),
    rollouts: [...state.durable.rollouts.values()]
      .filter(({ phase }) => !isEnded(phase))
      .filter(({ group }) => group.resources.some((one) => resourceKey(one.ref) === key))
      .map(({ id }) => id),
    proxies: proxies
      .filter(({ identity }) => identity.resource && resourceKey(identity.resource) === key)
      .map(viewProxy),
  };
}

function syncOf(wasThere: boolean, isThere: boolean, differences: number): ResourceView['sync'] {
  if (!wasThere) {
    return 'new';
  }
  if (!isThere) {
    return 'removed';
  }
  return differences === 0 ? 'synced' : 'changed';
}

function callersOf(mesh: Mesh, key: string): readonly string[] {
  return allResources(mesh)
    .filter((one) => referencesOf(mesh.name, one).some((ref) => resourceKey(ref) === key))
    .map((one) => keyIn(mesh.name, one))
    .sort();
}

function sourceOf(
  state: LoopState,
  origin: Origin | undefined,
  textOf: ResourceMoment['textOf'],
): ResourceView['source'] {
  if (origin === undefined) {
    return null;
  }
  const { repository, file, line } = origin;
  const commit = state.durable.repositories.get(repository ?? onlyRepository)?.desired?.id ?? '';
  const text = textOf(origin, commit);
  return {
    ...{ repository, file, line, commit },
    yaml: text === undefined ? null : documentAt(text, origin.line),
  };
}

/** The YAML document of `text` that line `line`, from 1, lies in, with the comments above it. */
export function documentAt(text: string, line: number): string {
  const lines = text.split('\n');
  const isMarker = (one: string | undefined) =>
    one !== undefined && /^(---|\.\.\.)(\s|$)/.test(one);
  let from = Math.min(line, lines.length) - 1;
  while (from > 0 && !isMarker(lines[from - 1])) {
    from -= 1;
  }
  let to = Math.max(line, from + 1);
  while (to < lines.length && !isMarker(lines[to])) {
    to += 1;
  }
  return lines.slice(from, to).join('\n').trimEnd();
}
