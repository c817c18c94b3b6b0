/**
 * A certificate revocation list (RFC 5280, section 5) → the serial numbers in it. OpenSSL checks lists in
 * handshakes; this is for connections that stand already, which OpenSSL does not ask about again.
 */

/** The serial numbers that an issuer has revoked, upper-case hex without leading zeros, by its name in DER. */
export type RevokedSerials = ReadonlyMap<string, ReadonlySet<string>>;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/** The lists in `pem`, one by one: of a text with several, Node takes the first alone. */
export function listsIn(pem: string): string[] {
  return pem.match(/-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g) ?? [];
}

/** Of all lists in `pem`. Throws where one cannot be read. */
export function revokedSerials(pem: string): RevokedSerials {
  const revoked = new Map<string, Set<string>>();
  for (const list of listsIn(pem)) {
    const base64 = list.replace(/-----[^-]*-----/g, '');
    const { issuer, serials } = readList(Buffer.from(base64, 'base64'));
    const known = revoked.get(issuer) ?? new Set();
    revoked.set(issuer, new Set([...known, ...serials]));
  }
  return revoked;
}

/** Issuer and serial number of a certificate in DER. */
export function issuerAndSerial(certificate: Buffer): {
  readonly issuer: string;
  readonly serial: string;
} {
  const [body] = children(only(certificate).content);
  const fields = children(required(body).content).filter(({ tag }) => tag !== 0xa0);
  const [serial, , issuer] = fields;
  return { issuer: required(issuer).whole.toString('hex'), serial: hexOf(required(serial)) };
}

function readList(der: Buffer): { readonly issuer: string; readonly serials: readonly string[] } {
  const [body] = children(only(der).content);
  // version?, algorithm, issuer, this update, next update?, entries?, extensions?
  const fields = children(required(body).content).filter(({ tag }) => tag !== integer);
  const [, issuer, ...rest] = fields;
  const entries = rest.find(({ tag }) => tag === sequence);
  const serials = (entries === undefined ? [] : children(entries.content)).map((item) => {
    const [serial] = children(item.content);
    return hexOf(required(serial));
  });
  return { issuer: required(issuer).whole.toString('hex'), serials };
}

const integer = 0x02;
const sequence = 0x30;

function hexOf({ content }: Element): string {
  return content.toString('hex').replace(/^0+/, '').toUpperCase();
}

function only(der: Buffer): Element {
  return required(children(der)[0]);
}

function required(element: Element | undefined): Element {
  if (element === undefined) {
    throw new Error('it is no certificate or list in DER');
  }
  return element;
}

/** The elements that stand one after another in `bytes`. */
function children(bytes: Buffer): readonly Element[] {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) {
      throw new Error('it is no certificate or list in DER');
    }
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const from = at + 2 + lengthBytes;
    if (from + length > bytes.length) {
      throw new Error('it ends in the middle');
    }
    elements.push({
      tag,
      content: bytes.subarray(from, from + length),
      whole: bytes.subarray(at, from + length),
    });
    at = from + length;
  }
  return elements;
}
