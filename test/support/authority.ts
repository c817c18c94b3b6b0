/**
 * A certificate authority of a test's own, run by the machine's `openssl`: it signs for any name, for any
 * time, and takes certificates back.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Issued } from './certificates.js';

const run = promisify(execFile);

export interface Authority {
  readonly folder: string;
  /** Its own certificate. */
  readonly ca: string;
  /** Its revocation list as of the last `revoke`; empty at first. */
  readonly crl: string;
  /** A certificate with `san`, as `DNS:a.internal` or `URI:spiffe://…`; each `file` can be used once. */
  issue(
    file: string,
    san: string,
    days?: { readonly from: string; readonly to: string },
  ): Promise<Issued>;
  /** Writes a revocation list that has `file` too. */
  revoke(file: string): Promise<void>;
  remove(): Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

const config = `[ca]
default_ca = test
[test]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
`;

export async function createAuthority(name = 'authority'): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-authority-'));
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  const path = (file: string) => join(folder, file);
  await writeFile(path('ca.cnf'), config);
  await writeFile(path('index.txt'), '');
  await writeFile(path('serial'), '0A01\n');
  const own = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', `/CN=${name}`, '-days', '2'];
  await openssl('req', '-x509', ...newKey, ...own);
  const writeList = () => openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem');
  await writeList();
  return {
    folder,
    ca: path('ca.pem'),
    crl: path('crl.pem'),
    async issue(file, san, days) {
      const request = ['-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${file}`];
      await openssl('req', ...newKey, ...request, '-addext', `subjectAltName=${san}`);
      const time = days === undefined ? [] : ['-startdate', days.from, '-enddate', days.to];
      const files = ['-in', `${file}.csr`, '-out', `${file}.pem`, '-notext', '-batch'];
      await openssl('ca', '-config', 'ca.cnf', ...files, ...time);
      return { chain: path(`${file}.pem`), key: path(`${file}.key`) };
    },
    async revoke(file) {
      await openssl('ca', '-config', 'ca.cnf', '-revoke', `${file}.pem`);
      await writeList();
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The certificates or lists of several authorities in one text. */
export async function joined(...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.join('');
}
