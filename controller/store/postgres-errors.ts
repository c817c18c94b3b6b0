/**
 * Turns what PostgreSQL refuses, and what happens on the way to it, into operating errors that say which
 * database, what is wrong and what a person can do (postgresql.org, "PostgreSQL Error Codes").
 */
import { OpError } from '../base/op-error.js';

interface Advice {
  readonly code: string;
  readonly text: string;
  readonly retry: 'backoff' | 'stalled';
}

/** By SQLSTATE; two characters stand for a whole class. */
const adviceOf: Readonly<Record<string, Advice>> = {
  '28': {
    code: 'store-auth',
    text: 'refuses this user or password; correct the URL or the password file',
    retry: 'stalled',
  },
  '3D': {
    code: 'store-cannot-open',
    text: 'does not exist; create the database and let this user create tables in it',
    retry: 'stalled',
  },
  '42501': {
    code: 'store-read-only',
    text: 'does not let this user do this; let it create and write tables there',
    retry: 'stalled',
  },
  '25006': {
    code: 'store-read-only',
    text: 'takes no writes: it is a standby or set read-only; name the primary',
    retry: 'backoff',
  },
  '53100': {
    code: 'store-full',
    text: 'has no room left; free disk space there, and the controller goes on by itself',
    retry: 'backoff',
  },
  '53300': {
    code: 'store-busy',
    text: 'has too many connections; allow this user more, or use a pooler',
    retry: 'backoff',
  },
  '57014': {
    code: 'store-slow',
    text: 'does not answer in time; look at its load and its locks',
    retry: 'backoff',
  },
  '57P': {
    code: 'store-unreachable',
    text: 'is starting or stopping, or ended our session',
    retry: 'backoff',
  },
  '55P03': {
    code: 'store-slow',
    text: 'has its tables locked by somebody else',
    retry: 'backoff',
  },
  '25P03': { code: 'store-slow', text: 'ended a transaction that took too long', retry: 'backoff' },
  XX001: {
    code: 'store-corrupt',
    text: 'is damaged; restore it from a backup',
    retry: 'stalled',
  },
};

const unreachable: Advice = {
  code: 'store-unreachable',
  text: 'cannot be reached; look at the network, and whether it runs',
  retry: 'backoff',
};

/** An `OpError` of an error of PostgreSQL or of the way to it; a programmer's error as it is. */
export function toPostgresError(error: unknown, place: string): unknown {
  if (error instanceof OpError || !(error instanceof Error) || isOurs(error)) {
    return error;
  }
  const { code: state = '' } = error as { readonly code?: string };
  const advice =
    'severity' in error
      ? (adviceOf[state] ?? adviceOf[state.slice(0, 3)] ?? adviceOf[state.slice(0, 2)])
      : unreachable;
  const { code, text, retry } = advice ?? {
    code: 'store-failed',
    text: 'failed',
    retry: 'backoff' as const,
  };
  const isDoubtful = 'isDoubtful' in error;
  return new OpError(
    isDoubtful ? 'store-doubtful' : code,
    `database ${place} ${text} (${error.message || state})`,
    { retry: { kind: retry }, cause: error },
  );
}

/** An operating error about the database; `text` goes on after its place. */
export function postgresError(
  code: string,
  place: string,
  text: string,
  retry: 'backoff' | 'stalled' = 'stalled',
): OpError {
  return new OpError(code, `database ${place} ${text}`, { retry: { kind: retry } });
}

function isOurs(error: Error): boolean {
  return error.message.startsWith('assertion failed') || error instanceof TypeError;
}
