/**
 * The operator's folder of secrets → all secrets by name, again whenever one changed. It is looked at
 * again and again rather than watched: swapped symbolic links, network disks and bind mounts report
 * changes poorly, and a look costs three `stat` a secret. What was good once is served until something
 * good takes its place.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OpError } from '../base/op-error.js';
import type { CertificateSecret, Secret, TrustSecret } from '../envoy/secrets.js';
import type { SecretUse } from '../envoy/snapshot.js';
import type { CertificateExpiry, Clock, Logger } from '../loop/ports.js';
import { expiryOf } from './check-secret.js';
import { expiriesOf } from './expiries.js';
import { type Fault, fingerprintOf, readSecret, type SecretContent } from './read-secret.js';

/** Between two looks. A change is taken once two looks saw the same, so within twice of this. */
const lookEveryMs = 500;

/** Far more than one mesh has; a folder with more is most likely the wrong one. */
const secretsMax = 2000;

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

export type FolderSecrets = ReadonlyMap<string, Secret>;

/** A `SecretSource` that knows the names of all that it has. */
export interface SecretFolderSource {
  start(onChange: (secrets: FolderSecrets) => void): Promise<FolderSecrets>;
  expiries(): readonly CertificateExpiry[];
  stop(): Promise<void>;
}

/** One folder, as far as it was looked at. */
interface Known {
  /** Of the newest look. */
  readonly seen: string;
  /** Of what was read last; undefined: nothing yet. */
  readonly read?: string;
  readonly secret: Secret;
}

/**
 * Secrets in `directory`, one folder each, whose name is the secret's with what a file name cannot hold
 * percent-encoded (`spiffe%3A%2F%2Fmesh%2Fweb`); names with a leading dot are passed over.
 */
export function createSecretFolder(directory: string, deps: Deps): SecretFolderSource {
  const folder = new SecretFolder(directory, deps);
  return {
    start: (onChange) => folder.start(onChange),
    expiries: () => folder.expiries(),
    stop: () => folder.stop(),
  };
}

class SecretFolder {
  private readonly directory: string;
  private readonly deps: Deps;
  private readonly known = new Map<string, Known>();
  /** What is wrong with the folder as a whole, as it was logged last. */
  private lastFault = '';
  private secrets: FolderSecrets = new Map();
  private looking: Promise<void> = Promise.resolve();
  private cancelLook: (() => void) | undefined;
  private isStopped = false;

  constructor(directory: string, deps: Deps) {
    this.directory = directory;
    this.deps = deps;
  }

  /** @throws OpError `secrets-unreadable` (stalled) where there is no such folder now. */
  async start(onChange: (secrets: FolderSecrets) => void): Promise<FolderSecrets> {
    const names = await this.list();
    if (typeof names === 'string') {
      const message = `the folder of secrets ${this.directory} ${names}`;
      throw new OpError('secrets-unreadable', message, { retry: { kind: 'stalled' } });
    }
    await this.takeAll(names, true);
    this.lookLater(onChange);
    return this.secrets;
  }

  expiries(): readonly CertificateExpiry[] {
    return expiriesOf(this.secrets);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelLook?.();
    await this.looking;
  }

  private lookLater(onChange: (secrets: FolderSecrets) => void): void {
    if (this.isStopped) {
      return;
    }
    this.cancelLook = this.deps.clock.after(lookEveryMs, () => {
      this.looking = this.look(onChange).then(() => this.lookLater(onChange));
    });
  }

  private async look(onChange: (secrets: FolderSecrets) => void): Promise<void> {
    const names = await this.list();
    const fault = typeof names === 'string' ? names : '';
    if (fault !== this.lastFault && fault !== '') {
      this.deps.logger.warn('certificates.unreadable', { folder: this.directory, reason: fault });
    }
    this.lastFault = fault;
    const before = this.secrets;
    if (typeof names !== 'string') {
      await this.takeAll(names, false);
    }
    if (this.secrets !== before && !this.isStopped) {
      onChange(this.secrets);
    }
  }

  /** The names of all folders in order, or what is wrong. */
  private async list(): Promise<readonly string[] | string> {
    try {
      const entries = await readdir(this.directory);
      const names = entries.filter((entry) => !entry.startsWith('.')).sort();
      return names.length > secretsMax
        ? `holds ${names.length} folders; at most ${secretsMax} are read`
        : names;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      return `cannot be read: ${code}`;
    }
  }

  private async takeAll(entries: readonly string[], isFirst: boolean): Promise<void> {
    const secrets = new Map<string, Secret>();
    for (const entry of new Set([...entries, ...this.known.keys()])) {
      const secret = await this.take(entry, isFirst);
      if (secret.certificate !== undefined || secret.trust !== undefined) {
        secrets.set(decodeURIComponent(entry), secret);
      } else if (!entries.includes(entry)) {
        this.known.delete(entry);
      }
    }
    const isSame =
      secrets.size === this.secrets.size &&
      [...secrets].every(([name, secret]) => this.secrets.get(name) === secret);
    this.secrets = isSame ? this.secrets : secrets;
  }

  /** The secret of one folder as it is to be served now. */
  private async take(entry: string, isFirst: boolean): Promise<Secret> {
    const folder = join(this.directory, entry);
    const known: Known = this.known.get(entry) ?? { seen: '', secret: {} };
    const seen = await fingerprintOf(folder);
    // Whoever writes may not be done: several files, or the second half of one.
    const isSettled = isFirst || known.seen === seen;
    if (!isSettled || known.read === seen) {
      this.known.set(entry, { ...known, seen });
      return known.secret;
    }
    const content = await readSecret(folder);
    if ((await fingerprintOf(folder)) !== seen) {
      // Written to while it was read: the next look sees that, and the one after takes it.
      this.known.set(entry, { ...known, seen: '' });
      return known.secret;
    }
    const secret = this.judge(entry, known.secret, content);
    this.known.set(entry, { seen, read: seen, secret });
    return secret;
  }

  private judge(entry: string, before: Secret, content: SecretContent): Secret {
    const isEmpty = content.certificate === undefined && content.trust === undefined;
    if (!isEncodedName(entry)) {
      if (!isEmpty) {
        const reason = 'is no name as encodeURIComponent writes it';
        this.deps.logger.warn('certificates.refused', { name: entry, reason });
      }
      return before;
    }
    const certificate = this.choose(entry, 'certificate', before.certificate, content.certificate);
    const trust = this.choose(entry, 'trust', before.trust, content.trust);
    const isSame = certificate === before.certificate && trust === before.trust;
    return isSame ? before : { certificate, trust };
  }

  /** What is served from now on of one use: `found` where it is good, else what was. */
  private choose<T extends CertificateSecret | TrustSecret>(
    entry: string,
    use: SecretUse,
    before: T | undefined,
    found: T | Fault | undefined,
  ): T | undefined {
    const name = decodeURIComponent(entry);
    if (found === undefined || found.kind === 'fault') {
      const reason = found?.reason ?? (before && 'is gone');
      if (reason !== undefined) {
        const isFormerServed = before !== undefined;
        this.deps.logger.warn('certificates.refused', { name, use, reason, isFormerServed });
      }
      return before;
    }
    if (before !== undefined && isSameMaterial(before, found)) {
      return before;
    }
    const expires = expiryOf(found.kind === 'trust' ? found.authorities : found.chain);
    const event = before === undefined ? 'certificates.taken' : 'certificates.rotated';
    this.deps.logger.info(event, { name, use, expires });
    return found;
  }
}

/** Else two folders could stand for one secret. */
function isEncodedName(entry: string): boolean {
  try {
    return encodeURIComponent(decodeURIComponent(entry)) === entry;
  } catch {
    return false;
  }
}

function isSameMaterial(
  left: CertificateSecret | TrustSecret,
  right: CertificateSecret | TrustSecret,
): boolean {
  const bytes = (secret: CertificateSecret | TrustSecret) =>
    secret.kind === 'trust' ? [secret.authorities] : [secret.chain, secret.key];
  const other = bytes(right);
  return bytes(left).every((each, index) => Buffer.compare(each, other[index] ?? each) === 0);
}
