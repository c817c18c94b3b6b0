/** Reads the secrets that settings point to. Their text is in no setting, no log and no error. */
import { readFileSync } from 'node:fs';
import { errorText, OpError } from './base/op-error.js';
import type { SecretSource } from './config/secret-source.js';

/**
 * The secret at `source`, without white space around it (files end in a newline). Throws an `OpError`
 * that names the place and never the text, where there is none.
 */
export function readSecret(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const secret = (
    source.kind === 'file' ? readSecretFile(source.path) : (env[source.variable] ?? '')
  ).trim();
  if (secret === '') {
    const place = source.kind === 'file' ? `file ${source.path}` : `variable ${source.variable}`;
    throw stalled(`the ${place} holds no secret`);
  }
  return secret;
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw stalled(`the secret in file ${path} cannot be read: ${errorText(error)}`);
  }
}

function stalled(message: string): OpError {
  return new OpError('secret-missing', message, { retry: { kind: 'stalled' } });
}
