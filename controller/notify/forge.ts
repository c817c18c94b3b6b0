/** Calls to the API of the server that keeps the repository, for the sinks that speak with it. */
import { type ForgeProvider, forgeHeaders } from '../base/forge.js';
import type { Clock } from '../loop/ports.js';
import { exchange, sinkUrl } from './http-exchange.js';

export interface ForgeTarget {
  readonly name: string;
  readonly provider: ForgeProvider;
  /** `owner/name`. */
  readonly repository: string;
  /** Which of the mesh's repositories this is; undefined: the only one. */
  readonly of?: string;
  readonly apiUrl: string;
  readonly token: string;
  readonly publicUrl?: string;
}

/** Asks `path` below the API's URL; throws as `exchange` does. */
export type AskForge = (method: 'GET' | 'POST', path: string, body?: object) => Promise<string>;

/** Throws an `OpError` where the target's URL is none. */
export function forgeCalls({ name, provider, apiUrl, token }: ForgeTarget, clock: Clock): AskForge {
  const base = sinkUrl(apiUrl, name).href.replace(/\/$/, '');
  const headers = forgeHeaders(provider, token);
  return (method, path, body) =>
    exchange(
      {
        method,
        url: new URL(`${base}${path}`),
        headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        secret: token,
      },
      clock,
    );
}
