/** What `headgate check` finds: one line a check, each that is not well with what to do about it. */

export type Result = 'ok' | 'warning' | 'error' | 'skipped';

export interface Check {
  /** `repository answers`. */
  readonly name: string;
  readonly result: Result;
  /** What was found: an address, a version, an error's text. */
  readonly detail: string;
  /** What to do; only where the result is no `ok`. */
  readonly hint?: string;
}

export interface Category {
  readonly name: string;
  readonly checks: readonly Check[];
}

export const ok = (name: string, detail: string): Check => ({ name, result: 'ok', detail });

export function warning(name: string, detail: string, hint: string): Check {
  return { name, result: 'warning', detail, hint };
}

export function failure(name: string, detail: string, hint: string): Check {
  return { name, result: 'error', detail, hint };
}

export const skipped = (name: string, detail: string): Check => ({
  name,
  result: 'skipped',
  detail,
});

/** What `look` finds; where it throws, a failure with the error's text and `hint`. */
export async function attempt(
  name: string,
  hint: string,
  look: () => Promise<Check> | Check,
): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failure(name, message, hint);
  }
}

const dayMs = 86_400_000;

/** Renewals are due by then: who renews monthly is in time. */
const endsSoonDays = 30;

/** Whether what ends `atMs` is well. */
export function endCheck(name: string, atMs: number, nowMs: number): Check {
  const date = new Date(atMs).toISOString().slice(0, 10);
  const days = Math.floor((atMs - nowMs) / dayMs);
  const hint = 'Renew it; new files are taken within seconds, without a restart.';
  if (atMs <= nowMs) {
    return failure(name, `ended on ${date}`, hint);
  }
  return days < endsSoonDays
    ? warning(name, `ends on ${date}, in ${days} days`, hint)
    : ok(name, `until ${date}`);
}
