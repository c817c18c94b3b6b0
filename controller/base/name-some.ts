/** Names in a sentence: a list that may be as long as a fleet. */

/** So many names are read; more are a wall. */
const shownMax = 5;

/** `a, b`, or of more than are read the first ones and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, shownMax).join(', ');
  return names.length > shownMax ? `${shown} and ${names.length - shownMax} more` : shown;
}
