/** Who is at the other end of a connection, as far as the connection itself shows it. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { contentHash } from '../base/hash.js';
import { isLoopback } from '../base/socket-address.js';
import type { PeerCertificate } from './admission.js';

export function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

/**
 * Whom a cut is remembered for where a good certificate was shown. Its names alone would be too many: all
 * proxies of a service have the same. Its key may be one file for them all, so the address counts as well.
 */
export function culpritWith(
  { chain: [leaf] }: PeerCertificate,
  address: string | undefined,
): string {
  return `certificate ${contentHash(leaf ?? '')} at ${address}`;
}

/** Without a certificate it is the address; what is on this machine has all the same one. */
export function culpritAt(address: string | undefined): string | undefined {
  return address === undefined || isLoopback(address) ? undefined : address;
}

/** More than any chain has: a peer must not make us walk for long. */
const chainMax = 10;

/** `authorized` is looked at here and nowhere else: a certificate without `fault` is a good one. */
export function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerCertificate(true);
  if (leaf?.raw === undefined) {
    return undefined;
  }
  const chain = [leaf.raw];
  for (let at = leaf; at.issuerCertificate !== at && chain.length < chainMax; ) {
    at = at.issuerCertificate;
    if (at?.raw === undefined) {
      break;
    }
    chain.push(at.raw);
  }
  return {
    fault: socket.authorized ? undefined : String(socket.authorizationError ?? 'not verified'),
    subjectAltName: leaf.subjectaltname ?? '',
    chain,
  };
}
