/**
 * The operator's files and rules → who may open xDS streams. The files are looked at again and again, as
 * the secrets of proxies are: new handshakes use what is new, streams go on as long as what they were
 * opened with still counts, and a file that is broken never takes the place of one that was good.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errorText, OpError } from '../base/op-error.js';
import type { CertificateExpiry, Clock, Logger } from '../loop/ports.js';
import type {
  Admission,
  Admitted,
  Caller,
  Evidence,
  PeerCertificate,
  TlsMaterial,
} from '../xds/admission.js';
import {
  issuerAndSerial,
  listsIn,
  type RevokedSerials,
  revokedSerials,
} from './revocation-list.js';
import { type CertificateName, type Grant, namesOf, nodeMatcher, type Rule } from './rules.js';
import { parseKeys, parseRevoked, readToken, type TokenClaims } from './tokens.js';

/** At least one of certificates (`clientCa` and `rules`) and tokens (`tokenKey`). */
export interface AdmissionSettings {
  /** PEM files of the server's certificate, with what signed it, and of its key. */
  readonly certificate?: string;
  readonly key?: string;
  /** PEM file of the authorities that sign proxies' certificates. */
  readonly clientCa?: string;
  /** PEM file of revocation lists, one of each authority. */
  readonly crl?: string;
  readonly rules: readonly Rule[];
  readonly tokenKey?: string;
  /** File of ids of tokens that no longer count. */
  readonly tokensRevoked?: string;
}

export interface AdmissionSource extends Admission {
  /** When the port's own certificate ends, and the first of the authorities that it asks. */
  expiries(): readonly CertificateExpiry[];
  stop(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Everything that comes from files, read at one time. */
interface Material {
  /** The files' bytes: the same text, the same material. */
  readonly read: string;
  readonly tls?: TlsMaterial;
  readonly expiries: readonly CertificateExpiry[];
  readonly authorities: readonly X509Certificate[];
  readonly revoked: RevokedSerials;
  readonly tokenKeys: readonly string[];
  readonly tokensRevoked: ReadonlySet<string>;
}

/** Between two looks at the files: a revocation is in effect within this and a second. */
const lookEveryMs = 1_000;

/**
 * Reads all files.
 * @throws OpError `admission-invalid` (stalled) where one is missing or broken.
 */
export function createAdmission(settings: AdmissionSettings, deps: Deps): AdmissionSource {
  const { clock, logger } = deps;
  let material = load(settings, readFiles(settings));
  let broken: string | undefined;
  let take: (material: TlsMaterial) => void = () => {};
  const look = (): void => {
    cancel = clock.after(lookEveryMs, look);
    try {
      const files = readFiles(settings);
      if (JSON.stringify(files) !== material.read) {
        const before = material.tls;
        material = load(settings, files);
        logger.info('admission.reloaded', {});
        if (material.tls !== undefined && material.tls !== before) {
          take(material.tls);
        }
      }
      broken = undefined;
    } catch (error) {
      const message = errorText(error);
      if (message !== broken) {
        logger.error('admission.broken', { message, serving: 'what was read before' });
      }
      broken = message;
    }
  };
  let cancel = clock.after(lookEveryMs, look);
  const { tls } = material;
  return {
    admit: (evidence) => admit(evidence, settings, { now: () => material, clock }),
    ...(tls && {
      tls: {
        now: () => material.tls ?? tls,
        onChange: (listener) => {
          take = listener;
        },
      },
    }),
    expiries: () => material.expiries,
    stop: () => cancel(),
  };
}

type Files = Readonly<Partial<Record<FileName, string>>>;
const fileNames = [
  'certificate',
  'key',
  'clientCa',
  'crl',
  'tokenKey',
  'tokensRevoked',
] as const satisfies readonly (keyof AdmissionSettings)[];
type FileName = (typeof fileNames)[number];

function readFiles(settings: AdmissionSettings): Files {
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

function load(settings: AdmissionSettings, files: Files): Material {
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

function tlsMaterial(options: SecureContextOptions, settings: AdmissionSettings): TlsMaterial {
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

interface Moment {
  /** The material of now, also later. */
  now(): Material;
  readonly clock: Clock;
}

function admit(evidence: Evidence, { rules }: AdmissionSettings, moment: Moment): Admitted {
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
