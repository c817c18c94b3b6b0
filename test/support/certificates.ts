/**
 * Certificates for tests, made by the machine's `openssl` once a process: an authority (`ca.pem`), and a
 * server's and a client's signed by it (`server.pem`, `server.key`, `client.pem`, `client.key`). Others are
 * issued by the same authority as tests ask for them.
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

let made: Promise<string> | undefined;

/** The folder that they are in; it goes when the process ends. */
export function certificateFolder(): Promise<string> {
  made ??= makeCertificates();
  return made;
}

/** Paths of a certificate and its key. */
export interface Issued {
  readonly chain: string;
  readonly key: string;
}

/** A certificate for `NAME.internal`, in `FILE.pem` of the folder; each `file` can be used once. */
export async function issueCertificate(file: string, name: string): Promise<Issued> {
  const folder = await certificateFolder();
  await issue(folder, file, name);
  return { chain: join(folder, `${file}.pem`), key: join(folder, `${file}.key`) };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key'];

async function issue(folder: string, file: string, name: string): Promise<void> {
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  const request = ['-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${name}`];
  await openssl('req', ...newKey, ...request);
  writeFileSync(join(folder, `${file}.ext`), `subjectAltName=DNS:${name}.internal\n`);
  const files = ['-in', `${file}.csr`, '-out', `${file}.pem`, '-extfile', `${file}.ext`];
  // A number of its own: a file that counts them would be written by several at once.
  const serial = ['-set_serial', `0x01${randomBytes(8).toString('hex')}`];
  await openssl('x509', '-req', ...authority, ...serial, '-days', '2', ...files);
}

async function makeCertificates(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-certificates-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const files = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2'];
  await run('openssl', ['req', '-x509', ...newKey, ...files], { cwd: folder });
  for (const name of ['server', 'client']) {
    await issue(folder, name, name);
  }
  return folder;
}
