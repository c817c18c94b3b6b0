/**
 * What decoding hands to `resolveMeshes`: one resource at a time, in the model's own types, with
 * defaults filled in and durations in milliseconds, but not yet linked. Lists are in the user's
 * order, so that an index here is the index in the file; nothing here has looked at another
 * document.
 */
import type { ProviderName } from './gates.js';
import type {
  GatewayRoute,
  MeshSettings,
  ResourceKind,
  RolloutPolicy,
  Route,
  VirtualGateway,
  VirtualNode,
  VirtualRouter,
  VirtualService,
  WeightedTarget,
} from './model.js';
import type { Origin } from './origins.js';

/** Names and indices from a document's root to a field, as `['spec', 'routes', 0, 'name']`. */
export type FieldPath = readonly (string | number)[];

/** `spec.routes[0].name`; a key that is no plain word stands in brackets and quotes. */
export function renderPath(path: FieldPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') {
        return `[${part}]`;
      }
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) {
        return `[${JSON.stringify(part)}]`;
      }
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

export interface MeshDocument {
  readonly kind: ResourceKind;
  readonly name: string;
  /** `metadata.mesh`; undefined: the repository's only mesh. Of a Mesh document: its own name. */
  readonly mesh?: string;
  /** Where the document starts. */
  readonly origin: Origin;
  /**
   * Undefined where the document has errors of its own. It is handed on by name all the same, so
   * that what refers to it is not reported as dangling on top.
   */
  readonly resource?: DeclaredResource;
  /** Where the field at `path` stands, or the innermost part of `path` that exists. */
  readonly locate: (path: FieldPath) => Origin;
}

export type DeclaredResource =
  | MeshSettings
  | VirtualNode
  | VirtualService
  | DeclaredRouter
  | VirtualGateway
  | GatewayRoute
  | RolloutPolicy;

export type DeclaredRouter = Omit<VirtualRouter, 'routes'> & {
  readonly routes: readonly DeclaredRoute[];
};

export type DeclaredRoute = Omit<Route, 'targets'> & {
  readonly targets: readonly DeclaredTarget[];
};

/** Without a port it means the node's only listener. */
export type DeclaredTarget = Omit<WeightedTarget, 'port'> & { readonly port?: number };

/** Everything that one revision declares. */
export interface Declarations {
  readonly documents: readonly MeshDocument[];
  /**
   * Names in files that could not be read: what refers to one of them is not reported as dangling,
   * since the resource is probably there.
   */
  readonly unreadNames: ReadonlySet<string>;
  /** False where the source or the decoder lost a file: what is missing is then no finding. */
  readonly isComplete: boolean;
  /** What gates may ask, by the controller's configuration; undefined: that is not at hand. */
  readonly providers?: readonly ProviderName[];
}
