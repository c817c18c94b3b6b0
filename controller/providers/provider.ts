/**
 * A provider as the adapters use it: whom to ask and how to prove who asks. Secrets are read anew for each
 * question, since tokens of platforms change every hour, and are in no field that could be printed.
 */
import { readFileSync } from 'node:fs';
import { errorText, OpError } from '../base/op-error.js';
import type { ProviderSettings } from '../config/providers.js';
import type { SecretSource } from '../config/secret-source.js';
import type { Clock } from '../loop/ports.js';

export interface Provider {
  readonly name: string;
  readonly kind: ProviderSettings['kind'];
  readonly url: URL;
  readonly timeoutMs: number;
  /** With the proof of who asks. Throws `OpError` where that cannot be read. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Certificate authorities; undefined: Node's own. Throws as `headers`. */
  readonly ca: () => string | undefined;
}

export interface ProviderDependencies {
  readonly clock: Clock;
  /** The text of a secret. Throws `OpError`. */
  readonly readSecret: (source: SecretSource) => string;
}

/** Throws `OpError` where a secret or a file of `settings` cannot be read now. */
export function createProvider(
  settings: ProviderSettings,
  { readSecret }: Pick<ProviderDependencies, 'readSecret'>,
): Provider {
  const { name, kind, timeoutMs, caFile, credentials } = settings;
  const authorization = (): Readonly<Record<string, string>> => {
    switch (credentials?.kind) {
      case undefined:
        return {};
      case 'bearer':
        return { authorization: `Bearer ${readSecret(credentials.token)}` };
      case 'basic': {
        const pair = `${credentials.username}:${readSecret(credentials.password)}`;
        return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
      }
    }
  };
  const provider: Provider = {
    name,
    kind,
    url: new URL(settings.url),
    timeoutMs,
    headers: () => ({ ...settings.headers, ...authorization() }),
    ca: () => (caFile === undefined ? undefined : readCa(caFile)),
  };
  provider.headers();
  provider.ca();
  return provider;
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const message = `the authorities in file ${file} cannot be read: ${errorText(error)}`;
    throw new OpError('provider-credentials', message);
  }
}
