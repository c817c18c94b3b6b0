/**
 * The mark on every listener, route and cluster that leads from a live proxy back to Git: the resource
 * that it was made from. Not the commit or line, which would change bytes that did not change meaning.
 */
import type { envoy_config_core_v3_Metadata as Metadata } from '../generated/envoy-types.js';
import type { ResourceKind } from '../mesh/model.js';
import { struct } from './values.js';

export interface Provenance {
  readonly mesh: string;
  readonly kind: ResourceKind;
  readonly name: string;
  /** The route's name, inside a virtual router. */
  readonly route?: string;
}

/** `filter_metadata.headgate` with the members of `provenance`. */
export function provenanceMetadata({ mesh, kind, name, route }: Provenance): Metadata {
  return { filter_metadata: { headgate: struct({ mesh, kind, name, route }) } };
}
