/**
 * The operator's files → what streams are admitted by: the port's TLS, the authorities that sign proxies'
 * certificates, what is revoked, and the keys of tokens. All are read at one time, and one that is broken
 * makes the reading fail.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errorText, OpError } from '../base/op-error.js';
import type { CertificateExpiry } from '../loop/ports.js';
import type { TlsMaterial } from '../xds/admission.js';
import { listsIn, type RevokedSerials, revokedSerials } from './revocation-list.js';
import { parseKeys, parseRevoked } from './tokens.js';

/** The paths of the files. */
export interface MaterialFiles {
  /** PEM files of the server's certificate, with what signed it, and of its key. */
  readonly certificate?: string;
  readonly key?: string;
  /** PEM file of the authorities that sign proxies' certificates. */
  readonly clientCa?: string;
  /** PEM file of revocation lists, one of each authority. */
  readonly crl?: string;
  readonly tokenKey?: string;
  /** File of ids of tokens that no longer count. */
  readonly tokensRevoked?: string;
}

/** Everything that comes from files, read at one time. */
export interface Material {
  /** The files' bytes: the same text, the same material. */
  readonly read: string;
  readonly tls?: TlsMaterial;
  readonly expiries: readonly CertificateExpiry[];
  readonly authorities: readonly X509Certificate[];
  readonly revoked: RevokedSerials;
  readonly tokenKeys: readonly string[];
  readonly tokensRevoked: ReadonlySet<string>;
}

type Files = Readonly<Partial<Record<FileName, string>>>;
const fileNames = [
  'certificate',
  'key',
  'clientCa',
  'crl',
  'tokenKey',
  'tokensRevoked',
] as const satisfies readonly (keyof MaterialFiles)[];
type FileName = (typeof fileNames)[number];

/** @throws OpError `admission-invalid` (stalled) where one cannot be read. */
export function readFiles(settings: MaterialFiles): Files {
  const entries = fileNames.flatMap((name) => {
    const path = settings[name];
    return path === undefined ? [] : [[name, readText(path)] as const];
  });
  return Object.fromEntries(entries);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${path} cannot be read: ${errorText(error)}`);
  }
}

/** @throws OpError `admission-invalid` (stalled) where a file is broken. */
export function loadMaterial(settings: MaterialFiles, files: Files): Material {
  const { certificate, key, clientCa, crl } = files;
  const keys = files.tokenKey === undefined ? [] : parseKeys(files.tokenKey);
  if ('fault' in keys) {
    throw invalid(`${settings.tokenKey} cannot be used: ${keys.fault}`);
  }
  const revoked = crl === undefined ? new Map() : readRevoked(crl, settings.crl ?? '');
  const authorities =
    clientCa === undefined ? [] : readAuthorities(clientCa, settings.clientCa ?? '');
  const context = { cert: certificate, key, ca: clientCa, crl: crl && listsIn(crl) };
  return {
    read: JSON.stringify(files),
    tls: certificate === undefined ? undefined : tlsMaterial(context, settings),
    expiries: [
      ...(certificate === undefined ? [] : endOf('server', [new X509Certificate(certificate)])),
      ...endOf('trust', authorities),
    ],
    authorities,
    revoked,
    tokenKeys: keys,
    tokensRevoked: parseRevoked(files.tokensRevoked ?? ''),
  };
}

function endOf(
  use: CertificateExpiry['use'],
  certificates: readonly X509Certificate[],
): readonly CertificateExpiry[] {
  const ends = certificates.map(({ validTo }) => Date.parse(validTo));
  return ends.length === 0 ? [] : [{ name: 'xds', use, atMs: Math.min(...ends) }];
}

function tlsMaterial(options: SecureContextOptions, settings: MaterialFiles): TlsMaterial {
  const context = { ...options, minVersion: 'TLSv1.2' } as const;
  try {
    createSecureContext(context);
  } catch (error) {
    const named = [settings.certificate, settings.key, settings.clientCa, settings.crl];
    const files = named.filter((path) => path !== undefined).join(', ');
    throw invalid(`TLS cannot be set up from ${files}: ${errorText(error)}`);
  }
  const asks = options.ca !== undefined;
  return { context, asks, requires: asks && settings.tokenKey === undefined };
}

function readAuthorities(pem: string, path: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw invalid(`${path} has no certificate`);
  }
  return blocks.map((block) => new X509Certificate(block));
}

function readRevoked(pem: string, path: string): RevokedSerials {
  // A file that is being written must not be taken for one in which less is revoked.
  const begun = pem.match(/-----BEGIN X509 CRL-----/g)?.length ?? 0;
  if (begun === 0 || begun !== listsIn(pem).length) {
    throw invalid(`${path} has ${begun === 0 ? 'no revocation list' : 'a list without an end'}`);
  }
  try {
    return revokedSerials(pem);
  } catch (error) {
    throw invalid(`${path} cannot be read as a revocation list: ${errorText(error)}`);
  }
}

function invalid(message: string): OpError {
  return new OpError('admission-invalid', message, { retry: { kind: 'stalled' } });
}
