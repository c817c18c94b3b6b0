/**
 * Sign-in by OpenID Connect: the authorization code flow with PKCE, state and nonce (RFC 9700, OpenID
 * Connect Core 3.1). The provider says who it is; which role that has is the operator's setting. The
 * provider is looked up when somebody signs in: the controller starts, and serves, without it.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { errorText, OpError } from '../base/op-error.js';
import type { Role } from './role.js';

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Verified e-mail addresses, groups or subjects; `*` is everybody who can sign in. */
  readonly operators: readonly string[];
  readonly viewers: readonly string[];
  /** Asked for besides `openid`. */
  readonly scopes: string;
}

/** What the browser must bring back from the provider. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Oidc {
  /** Where to send the browser. @throws OpError `oidc-failed`. */
  begin(redirectUrl: string): Promise<{ readonly url: string; readonly attempt: OidcAttempt }>;
  /**
   * Who came back to `url`. @throws OpError `oidc-failed` where the provider's answer does not hold, and
   * `oidc-refused` where nobody gave that person a role.
   */
  end(url: URL, attempt: OidcAttempt): Promise<{ readonly name: string; readonly role: Role }>;
}

export function createOidc(settings: OidcSettings): Oidc {
  let found: Promise<Configuration> | undefined;
  const configuration = async (): Promise<Configuration> => {
    found ??= discover(settings);
    try {
      return await found;
    } catch (error) {
      // The next sign-in looks again.
      found = undefined;
      throw failed(error);
    }
  };
  return {
    begin: async (redirectUrl) => {
      const attempt = {
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
      };
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUrl,
        scope: `openid ${settings.scopes}`,
        code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
        state: attempt.state,
        nonce: attempt.nonce,
      });
      return { url: url.href, attempt };
    },
    end: async (url, attempt) => {
      const claims = await claimsOf(await configuration(), url, attempt);
      const role = roleOf(claims, settings);
      if (role === undefined) {
        const message = `${nameOf(claims)} has no role here; an operator of Headgate can give one`;
        throw new OpError('oidc-refused', message, { retry: { kind: 'stalled' } });
      }
      return { name: nameOf(claims), role };
    },
  };
}

function discover({ issuer, clientId, clientSecret }: OidcSettings): Promise<Configuration> {
  const url = new URL(issuer);
  // Settings let only a provider on this machine go without TLS.
  const execute = url.protocol === 'http:' ? [allowInsecureRequests] : [];
  return discovery(url, clientId, clientSecret, undefined, { execute });
}

type Claims = Readonly<Record<string, unknown>>;

/** Claims of the ID token and, where that does not name groups or an address, of the user info. */
async function claimsOf(
  config: Configuration,
  url: URL,
  { state, nonce, verifier }: OidcAttempt,
): Promise<Claims> {
  try {
    const tokens = await authorizationCodeGrant(config, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims: Claims = { ...tokens.claims() };
    const isWhole = claims.email !== undefined && claims.groups !== undefined;
    if (isWhole || config.serverMetadata().userinfo_endpoint === undefined) {
      return claims;
    }
    const more = await fetchUserInfo(config, tokens.access_token, String(claims.sub));
    return { ...more, ...claims };
  } catch (error) {
    throw failed(error);
  }
}

function failed(error: unknown): OpError {
  const message = `signing in with the provider failed: ${errorText(error)}`;
  return new OpError('oidc-failed', message, { cause: error });
}

/** An address that the provider has not verified is what somebody typed, and proves nothing. */
function emailOf({ email, email_verified: isVerified }: Claims): string | undefined {
  return typeof email === 'string' && isVerified === true ? email.toLowerCase() : undefined;
}

function nameOf(claims: Claims): string {
  return emailOf(claims) ?? String(claims.preferred_username ?? claims.sub);
}

function roleOf(claims: Claims, { operators, viewers }: OidcSettings): Role | undefined {
  const groups = Array.isArray(claims.groups) ? claims.groups.map(String) : [];
  const email = emailOf(claims);
  const is = [String(claims.sub), ...groups, ...(email === undefined ? [] : [email])];
  const isIn = (list: readonly string[]) =>
    list.includes('*') || is.some((one) => list.includes(one));
  if (isIn(operators)) {
    return 'operator';
  }
  return isIn(viewers) ? 'viewer' : undefined;
}
