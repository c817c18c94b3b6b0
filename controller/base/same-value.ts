/** Equality of plain values by what they mean, without writing either down. */

/**
 * True where `left` and `right` have the same `canonicalJson`: the order of keys means nothing, and a
 * member that is undefined is one that is not there. Both must be plain JSON. What is the same object on
 * both sides is not looked into, so the cost is that of what differs.
 */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) {
    return true;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    return (
      left.length === right.length &&
      left.every((element, index) => sameValue(element, right[index]))
    );
  }
  if (!isRecord(left) || !isRecord(right)) {
    return false;
  }
  return (
    Object.keys(left).every((key) => sameValue(left[key], right[key])) &&
    Object.keys(right).every((key) => right[key] === undefined || left[key] !== undefined)
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
