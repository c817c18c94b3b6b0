/** From the settings of sign-in to who may do what: reads the files of secrets, once, at the start. */
import { readFileSync } from 'node:fs';
import { errorText, OpError } from '../base/op-error.js';
import type { AccessSettings } from '../config/access.js';
import { Access } from './access.js';
import { createOidc } from './oidc.js';
import { parseTokens } from './tokens.js';

/** @throws OpError (stalled) where a file cannot be read or used. */
export function openAccess({ tokensFile, oidc }: AccessSettings, publicUrl?: string): Access {
  const tokens = tokensFile === undefined ? [] : parseTokens(tokensFile, readText(tokensFile));
  const clientSecret = oidc === undefined ? '' : readText(oidc.clientSecretFile).trim();
  return new Access({
    tokens,
    oidc: oidc && createOidc({ ...oidc, clientSecret }),
    // Sessions are signed by a key of these, so they end where any of them is changed: who has which
    // role by the provider's word too.
    secret: JSON.stringify([clientSecret, tokens.map(({ hash }) => hash), oidc]),
    publicUrl,
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = `the secret in file ${path} cannot be read: ${errorText(error)}`;
    throw new OpError('secret-missing', message, { cause: error, retry: { kind: 'stalled' } });
  }
}
