/** When the certificates of secrets end, for metrics: whoever watches them renews in time. */
import { X509Certificate } from 'node:crypto';
import type { CertificateSecret, Secret, TrustSecret } from '../envoy/secrets.js';
import type { CertificateExpiry } from '../loop/ports.js';

/** Of each use of each secret; material that cannot be read has none. */
export function expiriesOf(
  secrets: Iterable<readonly [string, Secret]>,
): readonly CertificateExpiry[] {
  return [...secrets].flatMap(([name, { certificate, trust }]) =>
    [certificate, trust].flatMap((material) => {
      const atMs = material && endOf(material);
      return material === undefined || atMs === undefined
        ? []
        : [{ name, use: material.kind, atMs }];
    }),
  );
}

/** The same material is the same object, and is read once. */
const knownEnds = new WeakMap<object, number>();

function endOf(material: CertificateSecret | TrustSecret): number | undefined {
  const known = knownEnds.get(material);
  const bytes = material.kind === 'trust' ? material.authorities : material.chain;
  const found = known ?? firstEndMs(Buffer.from(bytes).toString('latin1'));
  if (found !== undefined) {
    knownEnds.set(material, found);
  }
  return found;
}

/** The first end of all certificates in `pem`, milliseconds since 1970; undefined where there is none. */
export function firstEndMs(pem: string): number | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const ends = blocks.map((block) => Date.parse(new X509Certificate(block).validTo));
  return ends.length === 0 ? undefined : Math.min(...ends);
}
