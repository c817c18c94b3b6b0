/**
 * Sessions of browsers, kept by the browsers themselves: who it is and until when, signed. The key follows
 * from the configured secrets, so a session outlives a restart, and ends where those are changed.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Principal, Role } from './role.js';

/** A working day: long enough for a shift, short enough for a laptop that is lost. */
export const sessionMs = 12 * 3600_000;

/** What a session says of its owner. */
export interface SessionOwner {
  readonly name: string;
  readonly role: Role;
  /** The hash of the token that it was begun with: it ends with that. Undefined for OpenID Connect. */
  readonly token?: string;
}

interface Signed extends SessionOwner {
  readonly expiresAtMs: number;
  /** Random: two sessions of one person have different CSRF tokens. */
  readonly id: string;
}

export class Sessions {
  private readonly key: Buffer;

  /** `secret` is anything that only the controller knows. */
  constructor(secret: string) {
    this.key = createHmac('sha256', 'headgate sessions').update(secret).digest();
  }

  /** A new session's text, for a cookie. */
  begin(owner: SessionOwner, nowMs: number): string {
    const id = randomBytes(16).toString('base64url');
    const signed: Signed = { ...owner, expiresAtMs: nowMs + sessionMs, id };
    return this.seal('session', signed);
  }

  /** Whose session `text` is; undefined where it is none of ours, or has ended. */
  find(
    text: string,
    nowMs: number,
  ): (SessionOwner & Pick<Principal, 'csrf' | 'expiresAtMs'>) | undefined {
    const signed = this.open('session', text) as Signed | undefined;
    if (signed === undefined || signed.expiresAtMs <= nowMs) {
      return undefined;
    }
    const { name, role, token, expiresAtMs } = signed;
    return { name, role, token, expiresAtMs, csrf: this.sign(`csrf ${text}`) };
  }

  /** `value` as text that only this controller can have written, for this purpose and no other. */
  seal(purpose: string, value: object): string {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${text}.${this.sign(`${purpose} ${text}`)}`;
  }

  /** What `seal` made `text` of, for the same purpose; undefined where it did not. */
  open(purpose: string, text: string): unknown {
    const [value = '', signature = ''] = text.split('.');
    return isEqual(signature, this.sign(`${purpose} ${value}`))
      ? JSON.parse(Buffer.from(value, 'base64url').toString())
      : undefined;
  }

  private sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

/** Compares secrets in a time that tells nothing of where they differ. */
export function isEqual(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
