/** Who a client of the API is, as the API tells it. */
import type { SignInMethod } from '../access/access.js';
import type { Role } from '../access/role.js';

export interface SessionView {
  /** Undefined: nobody is signed in, and nothing may be read. */
  readonly role?: Role;
  readonly name?: string;
  /** What a command of this session must say in `X-CSRF-Token`; undefined where it rests on no cookie. */
  readonly csrf?: string;
  /** Ways to sign in; empty: nobody is asked who they are. */
  readonly methods: readonly SignInMethod[];
}
