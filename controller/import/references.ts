/** Which fields name another resource, in every spelling that App Mesh had for them. */
import { fieldNames, type Schema } from '../decode/schema-walk.js';

export type ReferredKind = 'VirtualNode' | 'VirtualService' | 'VirtualRouter';

export interface Reference {
  readonly kind: ReferredKind;
  /** Ours. */
  readonly field: string;
}

const references: readonly Reference[] = [
  { kind: 'VirtualNode', field: 'virtualNodeRef' },
  { kind: 'VirtualService', field: 'virtualServiceRef' },
  { kind: 'VirtualRouter', field: 'virtualRouterRef' },
];

/** The reference of `schema` that `key` is: `virtualNode`, `VirtualNodeName`, `virtualNodeARN`… */
export function findReference(schema: Schema, key: string): Reference | undefined {
  const names = fieldNames(schema);
  const spelt = key.toLowerCase();
  return references.find(({ kind, field }) => {
    const base = kind.toLowerCase();
    const spellings = [base, `${base}name`, `${base}ref`, `${base}arn`];
    return names.includes(field) && spellings.includes(spelt);
  });
}
