/** A definition of App Mesh, whichever of its three forms it came in. */
import type { FieldPath } from '../mesh/document.js';
import type { Place, SourceEntry, SourceNode } from './source.js';

export const appMeshKinds = [
  'Mesh',
  'VirtualNode',
  'VirtualService',
  'VirtualRouter',
  'Route',
  'VirtualGateway',
  'GatewayRoute',
  'BackendGroup',
] as const;

export type AppMeshKind = (typeof appMeshKinds)[number];

/** A text with the node that it came from, for its place. */
export interface Named {
  readonly text: string;
  readonly node?: SourceNode;
  readonly path: FieldPath;
}

export interface Definition {
  readonly kind: AppMeshKind;
  readonly form: 'Kubernetes' | 'CloudFormation' | 'API';
  /** App Mesh's own name of it. */
  readonly name: string;
  /** Of the whole definition. */
  readonly place: Place;
  /** Where the name was found; undefined: nowhere, it was made up. */
  readonly nameSource?: Named;
  /** Of the object in Kubernetes, by which others refer to it. */
  readonly objectName?: string;
  readonly namespace?: string;
  /** Undefined: it names none. */
  readonly mesh?: Named;
  /** An account's id. */
  readonly meshOwner?: Named;
  /** The router of a Route, the gateway of a GatewayRoute. */
  readonly parent?: Named;
  readonly labels: readonly SourceEntry[];
  readonly labelsPath: FieldPath;
  /** With every template's value put in. */
  readonly spec?: SourceNode;
  readonly specPath: FieldPath;
  /** The comment lines above the definition. */
  readonly comment?: string;
  /** All of it, with its comments. */
  readonly whole: SourceNode;
  readonly wholePath: FieldPath;
}

/** Of the resource here that a definition becomes part of or becomes. */
export function subjectOf(definition: Pick<Definition, 'kind' | 'name'>): string {
  return `${definition.kind} ${definition.name}`;
}

/** Whether `text` is the id of an account, as owners of shared meshes are. */
export function isAccount(text: string): boolean {
  return /^[0-9]{12}$/.test(text);
}
