/** A Mesh document in the model's terms. */
import type * as yaml from '../generated/schema-types.js';
import type { MeshSettings } from '../mesh/model.js';

export function meshSettings({ metadata, spec }: yaml.Mesh): MeshSettings {
  return {
    kind: 'Mesh',
    name: metadata.name,
    labels: metadata.labels ?? {},
    egressFilter: spec?.egressFilter?.type ?? 'DROP_ALL',
    ipPreference: spec?.meshServiceDiscovery?.ipPreference,
    meshOwner: spec?.meshOwner,
  };
}
