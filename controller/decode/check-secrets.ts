/**
 * Secrets that one resource names as a certificate and as trust. Its proxies know a secret by its name
 * alone, so one name cannot be both, though another resource may name it as the other.
 */
import type * as yaml from '../generated/schema-types.js';
import type { Finding } from './finding.js';

/** A listener's `tls`, or a client policy's. */
interface WrittenTls {
  readonly certificate?: yaml.Certificate;
  readonly validation?: yaml.Validation;
}

interface Spec {
  readonly listeners?: readonly { readonly tls?: WrittenTls }[];
  readonly backendDefaults?: yaml.BackendDefaults;
  readonly backends?: readonly yaml.Backend[];
}

interface NamedSecret {
  readonly name: string;
  readonly use: 'certificate' | 'trust';
  readonly path: Finding['path'];
}

export function checkSecrets(spec: Spec): readonly Finding[] {
  const uses = new Map<string, NamedSecret['use']>();
  return secretsNamedBy(spec).flatMap(({ name, use, path }) => {
    const first = uses.get(name) ?? use;
    uses.set(name, first);
    if (first === use) {
      return [];
    }
    const text =
      `secret ${name} is named as ${use} here and as ${first} above, and a proxy knows a secret by ` +
      'its name alone; keep the authorities under a name of their own';
    return [{ code: 'HG0523' as const, path, text, details: { found: name } }];
  });
}

/** In the order of the document's fields as the model has them. */
function secretsNamedBy(spec: Spec): readonly NamedSecret[] {
  const listeners = (spec.listeners ?? []).flatMap(({ tls }, index) =>
    secretsOf(tls, ['spec', 'listeners', index, 'tls']),
  );
  const byDefault = secretsOf(spec.backendDefaults?.clientPolicy?.tls, [
    ...['spec', 'backendDefaults', 'clientPolicy', 'tls'],
  ]);
  const backends = (spec.backends ?? []).flatMap(({ virtualService }, index) =>
    secretsOf(virtualService.clientPolicy?.tls, [
      ...['spec', 'backends', index, 'virtualService', 'clientPolicy', 'tls'],
    ]),
  );
  return [...listeners, ...byDefault, ...backends];
}

function secretsOf(tls: WrittenTls | undefined, path: Finding['path']): readonly NamedSecret[] {
  const certificate = tls?.certificate?.sds?.secretName;
  const trust = tls?.validation?.trust.sds?.secretName;
  const place = (...rest: readonly string[]) => [...path, ...rest, 'sds', 'secretName'];
  return [
    ...(certificate === undefined
      ? []
      : [{ name: certificate, use: 'certificate' as const, path: place('certificate') }]),
    ...(trust === undefined
      ? []
      : [{ name: trust, use: 'trust' as const, path: place('validation', 'trust') }]),
  ];
}
