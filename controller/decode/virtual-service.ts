/** A VirtualService document in the model's terms. */
import type * as yaml from '../generated/schema-types.js';
import type { VirtualService } from '../mesh/model.js';

export function virtualService({ metadata, spec }: yaml.VirtualService): VirtualService {
  return {
    kind: 'VirtualService',
    name: metadata.name,
    labels: metadata.labels ?? {},
    provider: provider(spec?.provider),
  };
}

function provider(written: yaml.VirtualServiceSpec['provider']): VirtualService['provider'] {
  if (written?.virtualRouter !== undefined) {
    const { name } = written.virtualRouter.virtualRouterRef;
    return { kind: 'virtualRouter', virtualRouter: name };
  }
  if (written?.virtualNode !== undefined) {
    return { kind: 'virtualNode', virtualNode: written.virtualNode.virtualNodeRef.name };
  }
  return undefined;
}
