/**
 * Who may open streams, as the xDS server asks it: what a peer shows goes in, and whom it has proven to be
 * comes out. The server asks again about every open stream each second, so a proof that is revoked or
 * runs out ends what was opened with it.
 */
import type { SecureContextOptions } from 'node:tls';

/** A certificate that the peer has the key of, as TLS has found it. */
export interface PeerCertificate {
  /** Undefined: signed by an authority that we trust, valid and not revoked. Else what OpenSSL says. */
  readonly fault?: string;
  /** As Node prints it: `DNS:a.example, URI:spiffe://…`. */
  readonly subjectAltName: string;
  /** DER: the leaf first, then what signed it, as far as is known. */
  readonly chain: readonly Buffer[];
}

/** What the other end shows when it opens a stream. */
export interface Evidence {
  readonly certificate?: PeerCertificate;
  /** The `authorization` header. */
  readonly authorization?: string;
}

/** Somebody who may open streams. */
export interface Caller {
  /** As it is logged: `spiffe://…`, `token 4f2a…`; empty where nobody is asked. */
  readonly name: string;
  /** May be the node, and so see what that node is served. */
  mayBe(nodeId: string): boolean;
  /** May see the state of every proxy, contents of secrets never. */
  readonly isOperator: boolean;
  /** Why it no longer counts, in words for the one who must act; undefined: it does. */
  standing(): string | undefined;
}

export type Admitted = { readonly caller: Caller } | { readonly refusal: string };

/** What the TLS side needs; a new object whenever any of it changed. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** Peers are asked for a certificate. */
  readonly asks: boolean;
  /** Peers without a good certificate are refused in the handshake. */
  readonly requires: boolean;
}

export interface Admission {
  admit(evidence: Evidence): Admitted;
  /** Undefined: plain text. Else the material of now, and `onChange` with every later one. */
  readonly tls?: { now(): TlsMaterial; onChange(take: (material: TlsMaterial) => void): void };
}

const anybody: Caller = {
  name: '',
  mayBe: () => true,
  isOperator: true,
  standing: () => undefined,
};

/** For servers that only those reach who may ask for everything: loopback, or `--insecure`. */
export const openAdmission: Admission = { admit: () => ({ caller: anybody }) };
