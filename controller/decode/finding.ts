/** A contradiction inside one document: what the checks of each kind return. */
import type { FieldPath } from '../mesh/document.js';
import type { MeshProblemCode, ProblemDetails } from '../mesh/problems.js';

export interface Finding {
  readonly code: MeshProblemCode;
  readonly path: FieldPath;
  /** Whether it lies at the field's name or at its value, the default. */
  readonly place?: 'key' | 'value';
  /** Goes on from the resource's kind and name. */
  readonly text: string;
  readonly details?: ProblemDetails;
}

/** Index and key of each of `values` whose key an earlier one has. */
export function repeated<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): readonly (readonly [number, string])[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    const key = keyOf(value);
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated ? [[index, key] as const] : [];
  });
}
