/** Copies of plain JSON, several times as quickly as `structuredClone`, which knows of more. */

/** `value`, with no object in common with it. It must be a tree of arrays, plain objects and scalars. */
export function copyValue<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(copyOf);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = copyOf((value as Readonly<Record<string, unknown>>)[key]);
    if (key === '__proto__') {
      // An assignment would take it for something else.
      Object.defineProperty(copy, key, { value: member, enumerable: true });
    } else {
      copy[key] = member;
    }
  }
  return copy;
}
