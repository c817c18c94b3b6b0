/**
 * What a caller shows on the xDS port → who it is and which nodes it may be, or why it is refused; and for as
 * long as it stays, whether that still counts. A token goes before a certificate.
 */
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../loop/ports.js';
import type { Admitted, Caller, Evidence, PeerCertificate } from '../xds/admission.js';
import type { Material } from './material.js';
import { issuerAndSerial } from './revocation-list.js';
import { type CertificateName, type Grant, namesOf, nodeMatcher, type Rule } from './rules.js';
import { readToken, type TokenClaims } from './tokens.js';

export interface Moment {
  /** The material of now, also later. */
  now(): Material;
  readonly clock: Clock;
}

/** `rules` say which certificates may be which nodes. */
export function admit(evidence: Evidence, rules: readonly Rule[], moment: Moment): Admitted {
  const { certificate, authorization } = evidence;
  if (authorization !== undefined && moment.now().tokenKeys.length > 0) {
    return byToken(authorization, moment);
  }
  if (certificate !== undefined && rules.length > 0) {
    return byCertificate(certificate, rules, moment);
  }
  const ways = [
    ...(rules.length > 0 ? ['a client certificate'] : []),
    ...(moment.now().tokenKeys.length > 0 ? ['a token in the header authorization'] : []),
  ];
  return { refusal: `the controller asks for ${ways.join(' or ')}, and there is none` };
}

function byToken(authorization: string, moment: Moment): Admitted {
  const [, text = ''] = /^Bearer ([\w.-]+)$/i.exec(authorization) ?? [];
  const claims = readToken(text, moment.now().tokenKeys);
  if (claims === undefined) {
    return {
      refusal:
        'the token is none that this controller has signed; make one with `headgate proxy-token` ' +
        'and the key that the controller has now',
    };
  }
  const isOperator = claims.node === 'operator';
  const caller: Caller = {
    name: `token ${claims.id} of ${claims.node}`,
    mayBe: isOperator ? () => false : nodeMatcher(claims.node),
    isOperator,
    standing: remembered(moment, (material) => tokenFault(claims, text, material)),
  };
  const refusal = caller.standing();
  return refusal === undefined ? { caller } : { refusal };
}

/** What can be wrong with a proof: what files say, looked up once for each reading, and its end. */
interface Fault {
  readonly now?: string;
  readonly endsAtMs: number;
  readonly later: string;
}

/** Asked each second for every stream, so that signatures are checked only where files have changed. */
function remembered(
  { now, clock }: Moment,
  find: (material: Material) => Fault,
): () => string | undefined {
  let seen: Material | undefined;
  let fault: Fault = { endsAtMs: 0, later: '' };
  return () => {
    const material = now();
    if (material !== seen) {
      fault = find(material);
      seen = material;
    }
    return fault.now ?? (clock.now() >= fault.endsAtMs ? fault.later : undefined);
  };
}

function tokenFault({ id, expiresAtS }: TokenClaims, text: string, material: Material): Fault {
  const endsAtMs = expiresAtS * 1000;
  const remedy = 'make a new one with `headgate proxy-token`';
  const end = { endsAtMs, later: `token ${id} expired ${whenOf(endsAtMs)}; ${remedy}` };
  if (material.tokensRevoked.has(id)) {
    return { ...end, now: `token ${id} is revoked; ${remedy}` };
  }
  return readToken(text, material.tokenKeys) === undefined
    ? { ...end, now: `token ${id} was signed with a key that is no longer used; ${remedy}` }
    : end;
}

function whenOf(ms: number): string {
  return `at ${new Date(ms).toISOString()}`;
}

function byCertificate(
  certificate: PeerCertificate,
  rules: readonly Rule[],
  moment: Moment,
): Admitted {
  const names = namesOf(certificate.subjectAltName);
  const name = names.map(({ text }) => text).join(', ') || 'a certificate without names';
  const chain = certificate.chain.map((der) => new X509Certificate(der));
  const standing = remembered(moment, (material) => {
    const endsAtMs = Date.parse(chain[0]?.validTo ?? '') || 0;
    const now = certificate.fault ?? certificateFault(chain, material);
    return { now, endsAtMs, later: `it expired ${whenOf(endsAtMs)}; renew it` };
  });
  const refusal = standing();
  if (refusal !== undefined) {
    return { refusal: `the certificate of ${name} does not count: ${refusal}` };
  }
  const grants = grantsOf(names, rules);
  if (grants.length === 0) {
    return { refusal: `no rule of xdsClients is about ${name}` };
  }
  return {
    caller: {
      name,
      mayBe: (nodeId) => grants.some((grant) => grant.kind === 'node' && grant.isNode(nodeId)),
      isOperator: grants.some(({ kind }) => kind === 'operator'),
      standing,
    },
  };
}

function grantsOf(names: readonly CertificateName[], rules: readonly Rule[]): readonly Grant[] {
  return names.flatMap((name) => rules.flatMap((rule) => rule.match(name) ?? []));
}

/**
 * Why a chain that OpenSSL has taken does not count any more. A session that TLS resumes is not checked
 * there again, and a connection that stands never is.
 */
function certificateFault(
  chain: readonly X509Certificate[],
  { authorities, revoked }: Material,
): string | undefined {
  const isTrusted = chain.some((certificate) =>
    authorities.some(
      (authority) =>
        certificate.fingerprint256 === authority.fingerprint256 ||
        (certificate.checkIssued(authority) && certificate.verify(authority.publicKey)),
    ),
  );
  if (!isTrusted) {
    return 'the authority that signed it is none of the client authorities';
  }
  const isRevoked = chain.some(({ raw }) => {
    const { issuer, serial } = issuerAndSerial(raw);
    return revoked.get(issuer)?.has(serial) ?? false;
  });
  return isRevoked ? 'it is revoked' : undefined;
}
