/** The API as commands call it: JSON in and out, one clear sentence where it does not answer. */
import { readFileSync } from 'node:fs';
import type { ErrorView } from '../api/view.js';
import { errorText } from '../base/op-error.js';
import { printable } from '../base/printable.js';
import { proxiedFetch } from '../http/proxied-fetch.js';
import { CliError } from './io.js';

/** Nothing answered: perhaps for a moment only, while a controller is started anew. */
export class UnreachableError extends CliError {}

/** The controller answers in milliseconds; who waits longer has the wrong address. */
const timeoutMs = 10_000;

export async function getJson<T>(server: string, path: string): Promise<T> {
  return (await call(server, path, {})) as T;
}

export async function postJson<T>(server: string, path: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  return (await call(server, path, { method: 'POST', headers, body: JSON.stringify(body) })) as T;
}

/** Status and text of a page that is not JSON. Throws a `CliError` where nothing answers. */
export async function getText(
  server: string,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return request(server, path, {});
}

/** Status, text and the date header of any answer. Throws a `CliError` where nothing answers. */
export async function getAnswer(server: string, path: string) {
  return request(server, path, {});
}

async function call(server: string, path: string, init: RequestInit): Promise<unknown> {
  const { status, text } = await request(server, path, init);
  const body = parseJson(text);
  if (body === undefined) {
    throw new CliError(`${server} is no Headgate controller: it answered ${status} without JSON`);
  }
  if (status >= 300) {
    const { error } = body as Partial<ErrorView>;
    throw new CliError(printable(error?.message ?? `the controller answered ${status}`));
  }
  return body;
}

async function request(server: string, path: string, init: RequestInit) {
  const token = readToken(process.env);
  try {
    const response = await proxiedFetch(`${server}${path}`, {
      ...init,
      headers: { ...init.headers, ...(token && { Authorization: `Bearer ${token}` }) },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const date = response.headers.get('date');
    return { status: response.status, text: await response.text(), date };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new UnreachableError(
      `cannot reach the controller at ${server}: ${describe(cause)}; ` +
        'is `headgate serve` running? Name it with --server or HEADGATE_SERVER',
    );
  }
}

/** `HEADGATE_TOKEN`, or the text of the file that `HEADGATE_TOKEN_FILE` names; undefined: neither is set. */
function readToken(env: NodeJS.ProcessEnv): string | undefined {
  const path = env.HEADGATE_TOKEN_FILE;
  if (!path) {
    return env.HEADGATE_TOKEN || undefined;
  }
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CliError(`the token in HEADGATE_TOKEN_FILE cannot be read: ${errorText(error)}`);
  }
}

/** Some network errors have a code and no message. */
function describe(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return errorText(cause) || code || 'it does not answer';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
