/**
 * Operating errors: what the world does to us (a dead Git server, a full disk). Adapters throw them,
 * the adapter's edge turns them into events, and each says how to go on.
 */

export type Retry =
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'backoff' }
  /** Nothing changes until a person acts. */
  | { readonly kind: 'stalled' };

export class OpError extends Error {
  override readonly name = 'OpError';
  /** Lower-case words with dashes, as `git-unreachable`: the same in logs, metrics and the API. */
  readonly code: string;
  readonly retry: Retry;

  constructor(code: string, message: string, options: { retry?: Retry; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? { kind: 'backoff' };
  }
}

/** The text of anything that was thrown, on one line. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}
