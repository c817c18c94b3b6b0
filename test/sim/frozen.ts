/** Values that nobody changes any more, so that what was found of them stays true. */

/** `value`, frozen with all that it holds: who changes it after all, throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) {
      frozen(member);
    }
  }
  return value;
}
