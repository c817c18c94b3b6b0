/**
 * Says what is wrong with the files of a secret before any proxy gets them: half of a file, a key that
 * belongs to another certificate, or a kind of key that Envoy refuses. Reasons are words of our own and
 * never any of the files' text.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** Envoy, as built with BoringSSL: `context_impl.cc`, "only P-256, P-384 or P-521". */
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
const rsaBitsMin = 2048;

/** Why `chain` and `key` (both PEM) cannot be served; undefined where they can. */
export function findCertificateFault(chain: Uint8Array, key: Uint8Array): string | undefined {
  const certificates = parseCertificates(chain);
  const privateKey = parseKey(key);
  const [leaf] = typeof certificates === 'string' ? [] : certificates;
  if (leaf === undefined) {
    return `tls.crt ${String(certificates)}`;
  }
  if (typeof privateKey === 'string') {
    return `tls.key ${privateKey}`;
  }
  return leaf.checkPrivateKey(privateKey)
    ? findKeyFault(privateKey)
    : 'tls.key does not belong to the first certificate of tls.crt';
}

/** Why `authorities` (PEM) cannot be served; undefined where they can. */
export function findTrustFault(authorities: Uint8Array): string | undefined {
  const certificates = parseCertificates(authorities);
  return typeof certificates === 'string' ? `ca.crt ${certificates}` : undefined;
}

/** When the first certificate of `chain` ends, as it says itself; undefined where there is none. */
export function expiryOf(chain: Uint8Array): string | undefined {
  const certificates = parseCertificates(chain);
  return typeof certificates === 'string' ? undefined : certificates[0]?.validTo;
}

/** At least one, or what is wrong. */
function parseCertificates(bytes: Uint8Array): readonly X509Certificate[] | string {
  const blocks = pemBlocks(bytes);
  if (blocks === undefined) {
    return 'is cut off';
  }
  if (blocks.length === 0) {
    return 'holds no certificate';
  }
  if (blocks.some(({ label }) => label !== 'CERTIFICATE')) {
    return 'holds something other than certificates';
  }
  const certificates = blocks.flatMap(({ text }) => parseCertificate(text));
  return certificates.length === blocks.length
    ? certificates
    : 'holds a certificate that cannot be read';
}

function parseCertificate(text: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(text)];
  } catch {
    return [];
  }
}

/** The key, or what is wrong. */
function parseKey(bytes: Uint8Array): KeyObject | string {
  const blocks = pemBlocks(bytes);
  if (blocks === undefined) {
    return 'is cut off';
  }
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    return `holds ${keys.length} private keys, expected one`;
  }
  try {
    return createPrivateKey(key.text);
  } catch {
    return 'holds a private key that cannot be read; one with a password cannot be served';
  }
}

function findKeyFault({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  const isTaken =
    (asymmetricKeyType === 'rsa' && modulusLength >= rsaBitsMin) ||
    (asymmetricKeyType === 'ec' && curves.includes(namedCurve));
  return isTaken
    ? undefined
    : `tls.key is of a kind that Envoy refuses; it takes RSA of ${rsaBitsMin} bits or more, and EC on P-256, P-384 and P-521`;
}

interface PemBlock {
  readonly label: string;
  readonly text: string;
}

/** Undefined where a block has no end. Text between blocks is a comment (RFC 7468, section 2). */
function pemBlocks(bytes: Uint8Array): readonly PemBlock[] | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const begun = text.split('-----BEGIN ').length - 1;
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*-----END \1-----/g)].map(
    ([block, label = '']) => ({ label, text: block }),
  );
  return blocks.length === begun ? blocks : undefined;
}
