/**
 * Secrets into snapshots. The translation says which secrets a proxy's listeners and clusters name and
 * what for; this puts those into its snapshot, and no others. What is missing is left out and named: a
 * proxy waits for it. Keys are only ever in here as bytes, which nothing prints.
 */
import { memo } from '../base/memo.js';
import { encodeMessage } from './encode.js';
import { identityMemo } from './memo.js';
import { resourceOf } from './resource.js';
import { resourceSet, sameReferences } from './resource-set.js';
import type { EncodedResource, ResourceSet, SecretUse, Snapshot } from './snapshot.js';

/** A certificate chain, leaf first, and the private key of the leaf; both PEM. */
export interface CertificateSecret {
  readonly kind: 'certificate';
  readonly chain: Uint8Array;
  readonly key: Uint8Array;
}

/** Certificates of authorities that are trusted, PEM. */
export interface TrustSecret {
  readonly kind: 'trust';
  readonly authorities: Uint8Array;
}

/** What is known under one name, by what it may be used for. */
export interface Secret {
  readonly certificate?: CertificateSecret;
  readonly trust?: TrustSecret;
}

/** By name. The same material is the same object. */
export type Secrets = Pick<ReadonlyMap<string, Secret>, 'get'>;

/** A secret that a proxy's resources name. */
export interface NamedSecret {
  readonly name: string;
  /** `both`: what no secret can be for one proxy, since Envoy knows it by its name alone. */
  readonly use: SecretUse | 'both';
}

const namedSecrets = identityMemo<readonly NamedSecret[]>();
const missing = identityMemo<readonly NamedSecret[]>();
const encodedSecrets = identityMemo<EncodedResource>();
const completed = identityMemo<Snapshot>();

/**
 * `snapshot` with those of `secrets` that it names: the same object for the same material, so that a
 * rotation concerns nobody else.
 */
export function withSecrets(snapshot: Snapshot, secrets: Secrets): Snapshot {
  const named = namedSecrets([snapshot], '', () => secretsNamedBy(snapshot));
  const found = named.flatMap(({ name, use }) => {
    const material = use === 'both' ? undefined : secrets.get(name)?.[use];
    return material === undefined ? [] : [{ name, material }];
  });
  if (found.length === 0) {
    return snapshot;
  }
  const materials = found.map(({ material }) => material);
  const names = JSON.stringify(found.map(({ name }) => name));
  return completed([snapshot, ...materials], names, () => ({
    ...snapshot,
    secret: resourceSet(found.map(({ name, material }) => encodeSecret(name, material))),
  }));
}

/** Secrets that are named in `snapshot` and are not in it: who names one waits for it. */
export function missingSecrets(snapshot: Snapshot): readonly NamedSecret[] {
  return missing([snapshot], '', () =>
    secretsNamedBy(snapshot).filter(({ name }) => !snapshot.secret.byName.has(name)),
  );
}

/** In the order in which listeners and clusters name them, each once. */
function secretsNamedBy(snapshot: Snapshot): readonly NamedSecret[] {
  const uses = new Map<string, SecretUse | 'both'>();
  for (const { name, use } of [
    ...namedIn(sameReferences(snapshot.cluster)),
    ...namedIn(sameReferences(snapshot.listener)),
  ]) {
    const known = uses.get(name) ?? use;
    uses.set(name, known === use ? use : 'both');
  }
  return [...uses].map(([name, use]) => ({ name, use }));
}

/** What the resources of a set name, in their order. */
const namedIn = memo(({ byName }: ResourceSet) => {
  const named = [...byName.values()].flatMap(({ references }) => references);
  return named.flatMap(({ type, name, use }) =>
    type === 'secret' && use !== undefined ? [{ name, use }] : [],
  );
});

function encodeSecret(name: string, material: CertificateSecret | TrustSecret): EncodedResource {
  return encodedSecrets([material], name, () =>
    resourceOf('secret', name, secretBytes(name, material), []),
  );
}

function secretBytes(name: string, material: CertificateSecret | TrustSecret): Uint8Array {
  return encodeMessage(
    'envoy.extensions.transport_sockets.tls.v3.Secret',
    material.kind === 'certificate'
      ? {
          name,
          tls_certificate: {
            certificate_chain: { inline_bytes: material.chain },
            private_key: { inline_bytes: material.key },
          },
        }
      : { name, validation_context: { trusted_ca: { inline_bytes: material.authorities } } },
  );
}
