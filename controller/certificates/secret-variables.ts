/**
 * Secrets from variables of the environment, for machines on which no folder can be mounted. They are read
 * once: a process never learns that its environment was changed from outside.
 */
import type { SecretVariables } from '../config/environment.js';
import type { CertificateSecret, Secret, Secrets, TrustSecret } from '../envoy/secrets.js';
import type { CertificateExpiry, Logger, SecretSource } from '../loop/ports.js';
import { expiryOf } from './check-secret.js';
import { expiriesOf } from './expiries.js';
import { contentOf, type Fault } from './read-secret.js';

/** Secrets that know when their certificates end. */
export interface VariableSecrets extends Secrets {
  expiries(): readonly CertificateExpiry[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The secrets of `variables`. A secret's name is looked up in capitals, with an underscore for whatever
 * is neither a letter nor a digit: `spiffe://mesh/web` is `SPIFFE___MESH_WEB`.
 */
export function readSecretVariables(
  variables: readonly SecretVariables[],
  { env, logger }: { readonly env: Environment; readonly logger: Logger },
): VariableSecrets {
  const byName = new Map<string, Secret>();
  for (const { name, chain, key, authorities } of variables) {
    const content = contentOf(pemOf(env, chain), pemOf(env, key), pemOf(env, authorities));
    byName.set(name, {
      certificate: taken(logger, name, content.certificate),
      trust: taken(logger, name, content.trust),
    });
  }
  return {
    get: (name) => byName.get(name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()),
    expiries: () => expiriesOf(byName),
  };
}

/** Line breaks may be written as `\n`, since files of variables have one a line. PEM has no backslash. */
function pemOf(env: Environment, variable: string | undefined): Uint8Array | undefined {
  const text = variable === undefined ? undefined : env[variable];
  return text ? Buffer.from(text.replaceAll('\\n', '\n')) : undefined;
}

function taken<T extends CertificateSecret | TrustSecret>(
  logger: Logger,
  variable: string,
  found: T | Fault | undefined,
): T | undefined {
  if (found === undefined) {
    return undefined;
  }
  if (found.kind === 'fault') {
    logger.warn('certificates.refused', { variable, reason: found.reason });
    return undefined;
  }
  const expires = expiryOf(found.kind === 'trust' ? found.authorities : found.chain);
  logger.info('certificates.taken', { variable, use: found.kind, expires });
  return found;
}

/** What the folder has, and what it lacks from `variables`, each use of a name for itself. */
export function withVariables(
  folder: SecretSource | undefined,
  variables: VariableSecrets,
): SecretSource {
  const joined = (found: Secrets): Secrets => ({
    get: (name) => {
      const [first, second] = [found.get(name), variables.get(name)];
      return {
        certificate: first?.certificate ?? second?.certificate,
        trust: first?.trust ?? second?.trust,
      };
    },
  });
  return {
    start: async (onChange) =>
      folder === undefined
        ? variables
        : joined(await folder.start((changed) => onChange(joined(changed)))),
    expiries: () => [...(folder?.expiries() ?? []), ...variables.expiries()],
    stop: async () => folder?.stop(),
  };
}
