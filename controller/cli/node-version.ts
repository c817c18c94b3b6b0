/**
 * What is to be said of the Node that runs us. Headgate works on all of these lines; but some have
 * known holes in HTTP/2 and TLS, and those carry every proxy's configuration.
 */

/** First releases with the fixes of 2026 (CVE-2026-56848, 56846, 48618 and their kin), by line. */
const patched: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [23, 4],
  24: [22, 1],
  26: [12, 1],
};

/** A warning for Node `version` (`22.3.0`), or undefined where there is none to give. */
export function nodeAdvice(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const known = patched[major];
  if (known === undefined) {
    const isOld = major < 26;
    return isOld
      ? `Node ${version} is of a line that gets no security fixes any more; use Node 24`
      : undefined;
  }
  const isPatched = minor > known[0] || (minor === known[0] && patch >= known[1]);
  return isPatched
    ? undefined
    : `Node ${version} has known security holes; use ${major}.${known[0]}.${known[1]} or newer`;
}
