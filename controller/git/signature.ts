/**
 * Whether a commit is signed by somebody whom the operator trusts. Git checks the signature itself
 * (gitformat-signature(5), `%G?` of git-log(1)); here stands whose keys it may use, and what each of its
 * answers means. Nobody is trusted by default: keys of the user or the machine are never looked at.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, OpError } from '../base/op-error.js';
import type { Problem } from '../base/problem.js';
import type { CacheFolder } from './cache-folder.js';
import type { LocalGit } from './local-git.js';
import { sourceProblem } from './problems.js';

/** Where the trusted keys stand; a commit must be signed as soon as any of the first two is named. */
export interface SignatureTrust {
  /** SSH keys: an allowed signers file, ssh-keygen(1). */
  readonly signersFile?: string;
  /** GPG keys: public keys as `gpg --export --armor` writes them, revocations included. */
  readonly keyringFile?: string;
  /** SSH keys that count no longer: a key revocation list or a list of public keys. */
  readonly revokedFile?: string;
}

type Format = 'PGP' | 'SSH';

export class SignatureChecker {
  readonly #trust: SignatureTrust;
  readonly #folder: Pick<CacheFolder, 'home'>;
  readonly #git: LocalGit;
  /** Hash of the keyring that gpg's home was made from. */
  #imported: string | undefined;

  constructor(trust: SignatureTrust, folder: Pick<CacheFolder, 'home'>, git: LocalGit) {
    this.#trust = trust;
    this.#folder = folder;
    this.#git = git;
  }

  /**
   * What stands against the commit; undefined where nothing does.
   * @throws OpError `signature-keys` where the operator's files cannot be used.
   */
  async check(gitDir: string, commitId: string): Promise<Problem | undefined> {
    const { signersFile, keyringFile, revokedFile } = this.#trust;
    if (signersFile === undefined && keyringFile === undefined) {
      return undefined;
    }
    const format = await this.#formatOf(gitDir, commitId);
    if (format === undefined) {
      return unsigned('the commit is not signed');
    }
    const trusted = format === 'PGP' ? keyringFile : signersFile;
    if (trusted === undefined) {
      const wanted = format === 'PGP' ? 'an SSH' : 'a GPG';
      return unsigned(`the commit is signed by ${format}, and only ${wanted} key is trusted here`);
    }
    await this.#prepare(format, trusted);
    const options = [
      `gpg.ssh.allowedSignersFile=${signersFile ?? '/dev/null'}`,
      ...(revokedFile === undefined ? [] : [`gpg.ssh.revocationFile=${revokedFile}`]),
    ].flatMap((option) => ['-c', option]);
    const args = [...options, 'log', '-1', '--format=%G?%n%GS%n%GK', commitId];
    const [verdict = '', signer = '', key = ''] = (await this.#git.text(gitDir, args)).split('\n');
    // Whoever is in the operator's keyring is trusted, though gpg knows of nobody who vouches for them.
    const isGood = verdict === 'G' || (verdict === 'U' && format === 'PGP');
    return isGood ? undefined : unsigned(describe(verdict, signer, key));
  }

  async #formatOf(gitDir: string, commitId: string): Promise<Format | undefined> {
    const text = await this.#git.text(gitDir, ['cat-file', 'commit', commitId]);
    const [headers = ''] = text.split('\n\n', 1);
    const [, format] =
      /^gpgsig(?:-sha256)? -----BEGIN (PGP|SSH) SIGNATURE-----$/m.exec(headers) ?? [];
    return format as Format | undefined;
  }

  /** Makes sure that git can use the trusted keys, as they stand in the file now. */
  async #prepare(format: Format, file: string): Promise<void> {
    const keys = await readFile(file).catch((cause: unknown) => {
      throw keyFailure(`the trusted keys in ${file} cannot be read: ${errorText(cause)}`, cause);
    });
    const hash = createHash('sha256').update(keys).digest('hex');
    if (format === 'SSH' || hash === this.#imported) {
      return;
    }
    // gpg looks into the home that git has. It is made anew, so that a key which was removed is gone.
    await rm(join(this.#folder.home, '.gnupg'), { recursive: true, force: true });
    // No agent: public keys need none, and it would outlive us.
    const options = ['--batch', '--quiet', '--no-tty', '--no-autostart', '--import'];
    try {
      await this.#git.program('gpg', options, keys);
    } catch (cause) {
      throw keyFailure(`the keyring ${file} cannot be used: ${errorText(cause)}`, cause);
    }
    this.#imported = hash;
  }
}

/** Letters of `%G?`. */
function describe(verdict: string, signer: string, key: string): string {
  const who = [signer, key].filter((text) => text !== '').join(', ') || 'an unknown key';
  switch (verdict) {
    case 'B':
      return `the signature of ${who} is bad: the commit was changed after it was signed, or the key is revoked`;
    case 'X':
      return `the signature of ${who} has expired`;
    case 'Y':
      return `the key of ${who} has expired`;
    case 'R':
      return `the key of ${who} was revoked`;
    default:
      return `the commit is signed by ${who}, whom nobody trusts here`;
  }
}

function unsigned(found: string): Problem {
  const advice =
    'sign it with a trusted key (git commit -S, or git commit --amend -S for this one)';
  return sourceProblem('HG0112', '', `${found}; ${advice}`);
}

function keyFailure(message: string, cause: unknown): OpError {
  return new OpError('signature-keys', message, { cause });
}
