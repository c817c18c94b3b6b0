/**
 * Who may do what. Where sign-in is set up (tokens, OpenID Connect) every request must show who sends it.
 * Where it is not, nobody is asked: whoever is on this machine is an operator, as they could also stop the
 * process; whoever comes over the network reads and no more.
 */
import { isLoopback } from '../base/socket-address.js';
import type { Oidc } from './oidc.js';
import type { Principal } from './role.js';
import { Sessions } from './sessions.js';
import { findToken, type Token } from './tokens.js';

export type SignInMethod = 'token' | 'oidc';

/** What of a request says who sends it. */
export interface Credentials {
  readonly authorization?: string;
  readonly session?: string;
  /** The peer's IP address. */
  readonly peer: string;
}

export interface AccessSettings {
  readonly tokens: readonly Token[];
  readonly oidc?: Oidc;
  /** Anything that only the controller knows, and knows again after a restart. */
  readonly secret: string;
  /** Where browsers reach the controller, where that is not where it listens. */
  readonly publicUrl?: string;
}

export class Access {
  readonly methods: readonly SignInMethod[];
  readonly oidc: Oidc | undefined;
  readonly sessions: Sessions;
  readonly publicUrl: URL | undefined;
  private readonly tokens: readonly Token[];

  constructor({ tokens, oidc, secret, publicUrl }: AccessSettings) {
    this.tokens = tokens;
    this.oidc = oidc;
    this.publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl);
    this.sessions = new Sessions(secret);
    this.methods = [
      ...(tokens.length > 0 ? (['token'] as const) : []),
      ...(oidc === undefined ? [] : (['oidc'] as const)),
    ];
  }

  /** Undefined: nobody that is known here. */
  identify({ authorization, session, peer }: Credentials, nowMs: number): Principal | undefined {
    if (this.methods.length === 0) {
      const address = peer.replace(/^::ffff:/, '');
      const role = isLoopback(address) ? 'operator' : 'viewer';
      return { role, name: `an API client at ${address}`, via: 'local' };
    }
    const [, secret] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
    if (authorization !== undefined) {
      const token = findToken(this.tokens, secret ?? '');
      return token && { role: token.role, name: token.name, via: 'token' };
    }
    return session === undefined ? undefined : this.ofSession(session, nowMs);
  }

  /** The session's text for whoever knows `secret`; undefined where that is no token. */
  signInWithToken(secret: string, nowMs: number): { text: string; name: string } | undefined {
    const token = findToken(this.tokens, secret);
    if (token === undefined) {
      return undefined;
    }
    const { name, role, hash } = token;
    return { name, text: this.sessions.begin({ name, role, token: hash }, nowMs) };
  }

  private ofSession(text: string, nowMs: number): Principal | undefined {
    const found = this.sessions.find(text, nowMs);
    if (found === undefined) {
      return undefined;
    }
    const { name, role, token, csrf, expiresAtMs } = found;
    // What a token's owner may do stands in the file, and not in what a browser brings back.
    const now = token === undefined ? { role } : this.tokens.find(({ hash }) => hash === token);
    return now && { name, role: now.role, csrf, expiresAtMs, via: 'session' };
  }
}
