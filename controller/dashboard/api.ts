/** The controller's API as the page calls it. Errors are sentences that can be shown as they are. */
import { signal } from '@preact/signals';
import type { SessionView } from '../api/session-view.ts';
import type { ErrorView } from '../api/view.ts';
import type { RolloutCommand } from '../rollout/rollout.ts';

/** Who is signed in; undefined until it is known. */
export const session = signal<SessionView | undefined>(undefined);

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function getJson<T>(path: string): Promise<T> {
  return (await call(path, {})) as T;
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const csrf = session.value?.csrf;
  if (csrf !== undefined) {
    headers['X-CSRF-Token'] = csrf;
  }
  return (await call(path, { method: 'POST', headers, body: JSON.stringify(body) })) as T;
}

export function giveCommand(id: string, command: RolloutCommand, reason: string): Promise<unknown> {
  return postJson(`/api/v1/rollouts/${encodeURIComponent(id)}/${command}`, { reason });
}

export async function loadSession(): Promise<void> {
  session.value = await getJson<SessionView>('/api/v1/session');
}

async function call(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, 'the controller does not answer');
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 401 && session.value?.role !== undefined) {
    // The session has ended: what is shown next is the sign-in.
    session.value = { ...session.value, role: undefined, name: undefined, csrf: undefined };
  }
  if (!response.ok) {
    const { error } = (body ?? {}) as Partial<ErrorView>;
    throw new ApiError(response.status, error?.message ?? `it answered ${response.status}`);
  }
  return body;
}
