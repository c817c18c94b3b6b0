/** The settings of sign-in, and what of them must stand together. Secrets are in the files that they name. */
import { isLoopback } from '../base/socket-address.js';

export interface AccessSettings {
  /** File of static tokens; `access/tokens.ts` says its form. */
  readonly tokensFile?: string;
  /** Undefined: no sign-in by OpenID Connect. */
  readonly oidc?: OidcSettings;
}

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecretFile: string;
  /** E-mail addresses, groups or subjects; `*` is everybody who can sign in. */
  readonly operators: readonly string[];
  readonly viewers: readonly string[];
  readonly scopes: string;
}

/** The values as they are read one by one. */
export interface AccessValues {
  readonly tokensFile?: string;
  readonly oidcIssuer?: string;
  readonly oidcClientId?: string;
  readonly oidcClientSecretFile?: string;
  readonly oidcOperators?: readonly string[];
  readonly oidcViewers?: readonly string[];
  readonly oidcScopes?: string;
}

/** True where every request over HTTP must show who sends it. */
export function hasSignIn({ tokensFile, oidcIssuer }: AccessValues): boolean {
  return tokensFile !== undefined || oidcIssuer !== undefined;
}

/** Reports settings of OpenID Connect that are of no use without others. */
export function checkAccess(
  values: AccessValues,
  report: (name: keyof AccessValues, message: string) => void,
): void {
  const { oidcIssuer, oidcClientId, oidcClientSecretFile, oidcOperators, oidcViewers } = values;
  const needed = { oidcIssuer, oidcClientId, oidcClientSecretFile };
  const names = Object.keys(needed) as readonly (keyof typeof needed)[];
  const given = names.filter((name) => needed[name] !== undefined);
  for (const name of given.length === 0 ? [] : names.filter((one) => !given.includes(one))) {
    report(name, `${name} is missing; sign-in by OpenID Connect needs ${names.join(', ')}`);
  }
  if (oidcIssuer !== undefined && oidcOperators === undefined && oidcViewers === undefined) {
    report(
      'oidcViewers',
      'nobody could sign in; name groups or e-mail addresses in oidcOperators or oidcViewers, or *',
    );
  }
  const issuer = oidcIssuer === undefined ? undefined : new URL(oidcIssuer);
  if (issuer?.protocol === 'http:' && !isLoopback(issuer.hostname.replace(/^\[|\]$/g, ''))) {
    report('oidcIssuer', `oidcIssuer is ${oidcIssuer}; a provider elsewhere needs https`);
  }
}

/** `values` must have passed `checkAccess`. */
export function accessSettings(values: AccessValues): AccessSettings {
  const { tokensFile, oidcIssuer, oidcClientId, oidcClientSecretFile } = values;
  const isWhole =
    oidcIssuer !== undefined && oidcClientId !== undefined && oidcClientSecretFile !== undefined;
  const oidc = isWhole
    ? {
        issuer: oidcIssuer,
        clientId: oidcClientId,
        clientSecretFile: oidcClientSecretFile,
        operators: values.oidcOperators ?? [],
        viewers: values.oidcViewers ?? [],
        scopes: values.oidcScopes ?? '',
      }
    : undefined;
  return { tokensFile, oidc };
}
