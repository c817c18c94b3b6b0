/**
 * A Git server over https on loopback: `git http-backend` behind Node, with a certificate of its own
 * making. A test decides per request who may in, and may answer in the backend's stead.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isolatedGitEnvironment } from './git.js';

export interface GitServer {
  /** `https://localhost:PORT`, below which the folder's repositories lie. */
  readonly url: string;
  readonly certificate: Certificate;
  /** `METHOD path user:password` of every request, in their order. */
  readonly requests: readonly string[];
  /** `user:password` that is asked for; undefined lets everybody in. */
  credentials: string | undefined;
  /** Answers a request itself and returns true, or leaves it to Git. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

export interface Certificate {
  readonly keyFile: string;
  readonly caFile: string;
}

/** Serves the repositories in `folder`; without `certificate` it makes one of its own. */
export async function startGitServer(
  folder: string,
  certificate: Certificate = makeCertificate(folder),
): Promise<GitServer> {
  const { keyFile, caFile } = certificate;
  const requests: string[] = [];
  const server = createServer(
    { key: readFileSync(keyFile), cert: readFileSync(caFile) },
    (request, response) => {
      const login = loginOf(request);
      requests.push(`${request.method} ${request.url} ${login}`);
      if (git.credentials !== undefined && login !== git.credentials) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="mesh"' }).end();
      } else if (!git.intercept(request, response)) {
        runBackend(folder, request, response);
      }
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const git: GitServer = {
    url: `https://localhost:${port}`,
    certificate,
    requests,
    credentials: undefined,
    intercept: () => false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return git;
}

/** A key and a certificate for `localhost` that is its own authority. */
function makeCertificate(folder: string): Certificate {
  const place = mkdtempSync(join(folder, 'tls-'));
  const keyFile = join(place, 'key.pem');
  const caFile = join(place, 'ca.pem');
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const certificate = ['-x509', '-days', '2', '-subj', '/CN=localhost', '-addext', names];
  const files = ['-keyout', keyFile, '-out', caFile];
  execFileSync('openssl', ['req', ...certificate, ...key, ...files], { stdio: 'ignore' });
  return { keyFile, caFile };
}

function loginOf(request: IncomingMessage): string {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** RFC 3875: the request in the environment and on standard input, the response on standard output. */
function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'https://localhost');
  const { headers } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...isolatedGitEnvironment,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => {});
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    let status = 200;
    for (const line of output.toString('latin1', 0, end).split('\r\n')) {
      const [, name = '', value = ''] = /^([^:]+): *(.*)$/.exec(line) ?? [];
      if (name.toLowerCase() === 'status') {
        status = Number.parseInt(value, 10);
      } else if (name !== '') {
        response.setHeader(name, value);
      }
    }
    response.writeHead(status).end(output.subarray(end + 4));
  });
}
