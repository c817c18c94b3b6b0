/**
 * How git proves who it is: a user name and a token for https, a key file for ssh. Neither is ever an
 * argument, part of a URL or part of a log line; the token goes to git through an askpass script of
 * ours and that one child's environment, and is read again for each command, so it can be rotated.
 */
import { readFile } from 'node:fs/promises';
import { errorText, OpError } from '../base/op-error.js';
import type { Repository } from './repository.js';

export interface GitCredentials {
  /** For https: a file whose content, without white space around it, is the token or password. */
  readonly tokenFile?: string;
  /** For https: who the token belongs to. GitHub and GitLab take any name; the default is `git`. */
  readonly username?: string;
  /** For https: a PEM file of certificate authorities, instead of the system's. */
  readonly caFile?: string;
  /** For ssh: a private key without a passphrase; without it, the agent's keys and the user's own. */
  readonly keyFile?: string;
  /** For ssh: the only accepted host keys; without it, the known_hosts of the user and the system. */
  readonly knownHostsFile?: string;
}

export interface Secret {
  readonly username: string;
  readonly password: string;
}

/** What the askpass script prints; `$1` is git's prompt, as `Username for 'https://host': `. */
export const askpassScript = `#!/bin/sh
case "$1" in
Username*) printf '%s\\n' "$HEADGATE_GIT_USERNAME" ;;
*) printf '%s\\n' "$HEADGATE_GIT_PASSWORD" ;;
esac
`;

/**
 * The user name and password for `repository`, or undefined where there is none to give.
 * @throws OpError `git-auth` where the token file cannot be read or is empty.
 */
export async function readSecret(
  repository: Repository,
  credentials: GitCredentials,
): Promise<Secret | undefined> {
  const username = credentials.username ?? repository.username ?? 'git';
  if (repository.transport !== 'https') {
    return undefined;
  }
  if (credentials.tokenFile === undefined) {
    // A lone user name in a URL is how tokens are often written: it serves as both.
    const password = repository.password ?? repository.username;
    return password === undefined ? undefined : { username, password };
  }
  let token: string;
  try {
    token = (await readFile(credentials.tokenFile, 'utf8')).trim();
  } catch (cause) {
    throw new OpError('git-auth', `the token file cannot be read: ${errorText(cause)}`, { cause });
  }
  if (token === '') {
    throw new OpError('git-auth', `the token file ${credentials.tokenFile} is empty`);
  }
  return { username, password: token };
}

/**
 * The ssh command for git: never a prompt, never an unknown host key, no configuration file of the user
 * (it can name a command to run), and an end to connections that went silent.
 */
export function sshCommand(credentials: GitCredentials): string {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=15',
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
  ];
  if (credentials.knownHostsFile !== undefined) {
    options.push(`UserKnownHostsFile=${sshOptionValue(credentials.knownHostsFile)}`);
    options.push('GlobalKnownHostsFile=/dev/null');
  }
  if (credentials.keyFile !== undefined) {
    options.push('IdentitiesOnly=yes', `IdentityFile=${sshOptionValue(credentials.keyFile)}`);
  }
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])]
    .map(shellWord)
    .join(' ');
}

/** ssh splits values at spaces and expands `%`: quoted and doubled, the path stays what it is. */
function sshOptionValue(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

/** Git hands the ssh command to a shell. */
function shellWord(text: string): string {
  return /^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
