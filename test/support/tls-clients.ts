/**
 * Plain clients that speak TLS to a port themselves, with a certificate or without: what a listener shows,
 * and whom it lets in, seen from outside of any proxy. Each call is a connection and a handshake of its
 * own.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Issued } from './certificates.js';

export interface TlsAnswer {
  readonly status: number;
  /** SHA-256 of the certificate that the server showed. */
  readonly shown: string;
}

/** One request over TLS to 127.0.0.1. Fails where the server cuts it off. */
export async function callOverTls(
  port: number,
  options: { readonly authorities: string; readonly client?: Issued },
): Promise<TlsAnswer> {
  const { authorities, client } = options;
  const sent = request({
    host: '127.0.0.1',
    port,
    servername: 'server.internal',
    agent: false,
    ca: await readFile(authorities),
    cert: client && (await readFile(client.chain)),
    key: client && (await readFile(client.key)),
  });
  sent.end();
  const [response] = await once(sent, 'response');
  const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, shown: fingerprint256 };
}

/** The status of one plain HTTP request. Fails where the server cuts it off. */
export async function callInPlain(port: number, host = 'any'): Promise<number> {
  const sent = plainRequest({ host: '127.0.0.1', port, agent: false, headers: { host } });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

/** How a call that must fail failed. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    return `answered ${JSON.stringify(await call)}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
