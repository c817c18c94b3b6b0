/** What somebody may do. Who may command may read. */

/** `viewer` reads; `operator` also gives commands. */
export type Role = 'viewer' | 'operator';

/** Somebody, as a request showed it. */
export interface Principal {
  readonly role: Role;
  /** As the history says it. */
  readonly name: string;
  /**
   * - `local`: nobody is asked; what may be done follows from where the request comes from.
   * - `token`: the request carries a token.
   * - `session`: a browser that signed in.
   */
  readonly via: 'local' | 'token' | 'session';
  /** Of a session: when it ends, milliseconds since 1970. */
  readonly expiresAtMs?: number;
  /** Of a session: what each of its commands must carry. */
  readonly csrf?: string;
}
