/** Waiting for what other processes do, where there is no event to wait for. */

/**
 * Asks `isTrue` again and again, a few milliseconds apart, until it is. Throws after `timeoutMs` with
 * `what` and the last error: what `isTrue` throws counts as not yet.
 */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const startedMs = performance.now();
  let lastError: unknown;
  while (performance.now() - startedMs < timeoutMs) {
    try {
      if (await isTrue()) {
        return;
      }
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const reason = lastError === undefined ? '' : `: ${String(lastError)}`;
  throw new Error(`${what} did not come true within ${timeoutMs} ms${reason}`);
}
