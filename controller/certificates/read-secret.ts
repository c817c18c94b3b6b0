/**
 * One folder of the operator's → one secret. `tls.crt` with `tls.key` is a certificate, `ca.crt` is
 * authorities to trust; a folder may hold either or both, as a Kubernetes secret of cert-manager does.
 * Symbolic links are followed: that is how Kubernetes swaps all files of a secret at once.
 */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateSecret, TrustSecret } from '../envoy/secrets.js';
import { findCertificateFault, findTrustFault } from './check-secret.js';

/** The authorities that a browser trusts are about 220 KB. */
const fileBytesMax = 1024 * 1024;

const fileNames = ['tls.crt', 'tls.key', 'ca.crt'] as const;

/** What a secret holds; a use of which it has no file is absent. */
export interface SecretContent {
  readonly certificate?: CertificateSecret | Fault;
  readonly trust?: TrustSecret | Fault;
}

export interface Fault {
  readonly kind: 'fault';
  /** Follows the name of the secret; nothing of the files' text is in it. */
  readonly reason: string;
}

/** Differs where any of the folder's files was written or replaced. */
export async function fingerprintOf(folder: string): Promise<string> {
  const parts = await Promise.all(
    fileNames.map(async (name) => {
      const found = await stat(join(folder, name), { bigint: true }).catch(codeOf);
      return typeof found === 'string'
        ? found
        : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
    }),
  );
  return parts.join('\n');
}

export async function readSecret(folder: string): Promise<SecretContent> {
  const [chain, key, authorities] = await Promise.all(
    fileNames.map((name) => readSmallFile(folder, name)),
  );
  return contentOf(chain, key, authorities);
}

/** What the three files of a secret are good for; those that are not there are undefined. */
export function contentOf(
  chain: Uint8Array | Fault | undefined,
  key: Uint8Array | Fault | undefined,
  authorities: Uint8Array | Fault | undefined,
): SecretContent {
  return { certificate: certificateOf(chain, key), trust: trustOf(authorities) };
}

function certificateOf(
  chain: Uint8Array | Fault | undefined,
  key: Uint8Array | Fault | undefined,
): CertificateSecret | Fault | undefined {
  if (chain === undefined && key === undefined) {
    return undefined;
  }
  if (chain === undefined || key === undefined) {
    return fault(`has no ${chain === undefined ? 'tls.crt' : 'tls.key'}`);
  }
  if ('kind' in chain || 'kind' in key) {
    return 'kind' in chain ? chain : (key as Fault);
  }
  const reason = findCertificateFault(chain, key);
  return reason === undefined ? { kind: 'certificate', chain, key } : fault(reason);
}

function trustOf(authorities: Uint8Array | Fault | undefined): TrustSecret | Fault | undefined {
  if (authorities === undefined || 'kind' in authorities) {
    return authorities;
  }
  const reason = findTrustFault(authorities);
  return reason === undefined ? { kind: 'trust', authorities } : fault(reason);
}

/** Undefined where there is no such file. */
async function readSmallFile(
  folder: string,
  name: string,
): Promise<Uint8Array | Fault | undefined> {
  try {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const file = await open(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size > fileBytesMax) {
        return fault(`${name} is no file of at most ${fileBytesMax} bytes`);
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? undefined
      : fault(`${name} cannot be read: ${code}`);
  }
}

function fault(reason: string): Fault {
  return { kind: 'fault', reason };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
