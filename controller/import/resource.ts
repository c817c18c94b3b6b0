/** A resource of the mesh repository that the importer writes. */
import type { ResourceKind } from '../mesh/model.js';
import type { OutEntry, OutNode } from './output.js';
import type { Place } from './source.js';

export type ImportedKind = Exclude<ResourceKind, 'RolloutPolicy'>;

export interface Resource {
  readonly kind: ImportedKind;
  readonly name: string;
  readonly mesh: string;
  readonly labels: readonly OutEntry[];
  readonly spec?: OutNode;
  /** Where its definition stands, or what asked for it where it has none. */
  readonly place: Place;
  /** The comment lines above the definition. */
  readonly comment?: string;
  /** Why it was made up; undefined: it was in the input. */
  readonly madeUp?: string;
}

export const schemaFileOf: Readonly<Record<ImportedKind, string>> = {
  Mesh: 'mesh.schema.json',
  VirtualNode: 'virtual-node.schema.json',
  VirtualService: 'virtual-service.schema.json',
  VirtualRouter: 'virtual-router.schema.json',
  VirtualGateway: 'virtual-gateway.schema.json',
  GatewayRoute: 'gateway-route.schema.json',
};
