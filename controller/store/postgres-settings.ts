/**
 * How a PostgreSQL database is reached, from a URL in libpq's form (postgresql.org, "Connection URIs").
 * Certificates are checked unless the URL says otherwise: a database far away without `sslmode` is
 * `verify-full`, which libpq would not be.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { errorText, OpError } from '../base/op-error.js';
import { isLoopback } from '../base/socket-address.js';

export interface PostgresSettings {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked for at each connection, so that a rotated one is taken up. */
  readonly password: () => string | undefined;
  readonly tls: ConnectionOptions | false;
  /** For messages: no user and no password. */
  readonly place: string;
}

const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];

const parameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host'];

/**
 * @param readPassword the password of a file, which wins over the URL's.
 * @throws OpError `store-cannot-open` where the URL cannot be understood or a file cannot be read; the
 * message holds no password.
 */
export function postgresSettings(
  text: string,
  readPassword: (() => string) | undefined,
): PostgresSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw refused('is no URL of the form postgres://USER@HOST:PORT/DATABASE');
  }
  for (const name of url.searchParams.keys()) {
    if (!parameters.includes(name)) {
      throw refused(`has the parameter ${name}; known are ${parameters.join(', ')}`);
    }
  }
  const host = url.searchParams.get('host') ?? decoded(url.hostname, 'host');
  const database = decoded(url.pathname.slice(1), 'database');
  if (host === '' || database === '' || url.username === '') {
    throw refused('names no user, host or database; write postgres://USER@HOST:PORT/DATABASE');
  }
  const port = url.port === '' ? 5432 : Number(url.port);
  const inUrl = url.password === '' ? undefined : decoded(url.password, 'password');
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port,
    database,
    user: decoded(url.username, 'user'),
    password: () => readPassword?.() ?? inUrl,
    tls: tlsOf(url.searchParams, host),
    place: `postgres://${host}:${port}/${database}`,
  };
}

/** Never says what stands there: it may be a password. */
function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused(`has a % in its ${part} that begins no character; write %25 for a % itself`);
  }
}

function tlsOf(query: URLSearchParams, host: string): ConnectionOptions | false {
  const isNear = host.startsWith('/') || host === 'localhost' || isLoopback(host);
  const asked = query.get('sslmode');
  const mode = asked ?? (isNear ? 'disable' : 'verify-full');
  if (!isSslMode(mode)) {
    throw refused(`has sslmode ${mode}; allowed are ${sslModes.join(', ')}`);
  }
  if (mode === 'disable') {
    return false;
  }
  const files = {
    ca: read(query.get('sslrootcert')),
    cert: read(query.get('sslcert')),
    key: read(query.get('sslkey')),
  };
  const given = Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined));
  return {
    ...given,
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function isSslMode(text: string): text is SslMode {
  return (sslModes as readonly string[]).includes(text);
}

function read(path: string | null): string | undefined {
  try {
    return path === null ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    throw refused(`names a file that cannot be read: ${errorText(error)}`);
  }
}

function refused(text: string): OpError {
  return new OpError('store-cannot-open', `the state's PostgreSQL URL ${text}`, {
    retry: { kind: 'stalled' },
  });
}
