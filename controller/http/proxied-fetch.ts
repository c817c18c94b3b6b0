/**
 * `fetch` for commands that people and CI run: as the platform's, but through the proxy that HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY name, which Node's own does not do. This machine itself is never asked through a
 * proxy, as with every tool in Go.
 */

import type { RequestInit as UndiciInit } from 'undici';

const variables = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'];
const thisMachine = ['localhost', '127.0.0.1', '[::1]'];

/** Rejects as `fetch` does. */
export async function proxiedFetch(url: string, init: RequestInit = {}): Promise<Response> {
  if (variables.every((name) => !process.env[name])) {
    // Without a proxy no command pays for loading the library.
    return fetch(url, init);
  }
  const undici = await import('undici');
  const noProxy = [process.env.NO_PROXY ?? process.env.no_proxy ?? '', ...thisMachine].join(',');
  const dispatcher = new undici.EnvHttpProxyAgent({ noProxy });
  // The same standard, typed twice: by the library and by TypeScript's DOM.
  const answer = await undici.fetch(url, { ...(init as UndiciInit), dispatcher });
  return answer as unknown as Response;
}
