/**
 * Assertions for programmer errors: what they find is a bug of ours, never a user's mistake. A failed
 * one ends the process, which is safe since every state change is stored before it is served.
 */

/** Throws an `AssertionError` with `message` where `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new Error(`assertion failed: ${message}`);
  }
}

/** The last arm of every `switch` over a union: a variant that nobody handled is a compile error. */
export function assertNever(value: never): never {
  throw new Error(`assertion failed: unhandled variant ${JSON.stringify(value)}`);
}

/** `value`, which must be there; `what` names it in the error. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`);
  return value;
}
