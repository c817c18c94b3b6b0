/**
 * What an operator may name as a repository, branch, path or revision, parsed before anything is
 * started. Git takes options among its positional arguments and runs commands that a URL names
 * (`ext::`, `ssh://-oProxyCommand=…`), so only forms that are known to be harmless go on from here.
 * Credentials inside a URL are taken out: an argument list is readable by every user of the machine.
 */
import { resolve } from 'node:path';
import { OpError } from '../base/op-error.js';

export type Transport = 'file' | 'https' | 'ssh';

export interface Repository {
  readonly transport: Transport;
  /** What git is given: an absolute path or a URL, without credentials. */
  readonly url: string;
  /** The user name and password that an https URL carried; the password is a secret. */
  readonly username?: string;
  readonly password?: string;
}

const userPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const hostPattern = /^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])$/;
const scpPattern = /^(?:([^@/:]*)@)?(\[[^\]/]*\]|[^/:[\]]*):(.*)$/;

/** Longer than any server's own limit on a path, short enough for an argument list. */
const textCharactersMax = 2048;

/**
 * Parses a local path, `file://`, `https://`, `ssh://` or `user@host:path`. A relative path is taken
 * from the working directory.
 * @throws OpError `repository-refused` (stalled) for anything else; the text of a URL is not in it.
 */
export function parseRepository(text: string): Repository {
  refuseUnprintable('repository', text);
  if (/^[A-Za-z0-9+.-]+::/.test(text)) {
    throw refused('repository', 'a transport helper (`name::…`) runs a command and is not allowed');
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'https') {
    return parseHttps(text);
  }
  if (scheme === 'ssh') {
    return parseSsh(text);
  }
  if (scheme === 'file') {
    const path = text.slice('file://'.length);
    if (!path.startsWith('/')) {
      throw refused('repository', 'a file URL has no host: write file:///absolute/path');
    }
    return { transport: 'file', url: `file://${path}` };
  }
  if (scheme !== undefined) {
    throw refused('repository', `\`${scheme}://\` is not allowed; use https, ssh, file or a path`);
  }
  const scp = scpPattern.exec(text);
  return scp ? parseScp(scp) : { transport: 'file', url: resolve(text) };
}

function parseHttps(text: string): Repository {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused('repository', 'the https URL cannot be parsed');
  }
  if (!hostPattern.test(url.hostname)) {
    throw refused('repository', 'the host of the https URL is not a host name');
  }
  if (url.search !== '' || url.hash !== '') {
    throw refused('repository', 'an https URL of a repository has no query and no fragment');
  }
  const username = decodePercents(url.username);
  const password = decodePercents(url.password);
  url.username = '';
  url.password = '';
  return {
    transport: 'https',
    url: url.href,
    ...(username && { username }),
    ...(password && { password }),
  };
}

function parseSsh(text: string): Repository {
  const match = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^/:]*)(?::(\d+))?(\/.+)$/i.exec(text);
  const [, user, host = '', port, path = ''] = match ?? [];
  if (user?.includes(':')) {
    throw refused('repository', 'an ssh URL cannot carry a password; use a key file');
  }
  checkSshParts(user, host);
  const place = `${user === undefined ? '' : `${user}@`}${host}${port ? `:${port}` : ''}`;
  return { transport: 'ssh', url: `ssh://${place}${path}` };
}

function parseScp([, user, host = '', path = '']: readonly (string | undefined)[]): Repository {
  checkSshParts(user, host);
  if (path === '' || path.startsWith('-')) {
    throw refused('repository', 'the path after `host:` is missing or begins with a dash');
  }
  if (/^[^/]*@/.test(path)) {
    throw refused('repository', '`user:password@host` is not allowed for ssh; use a key file');
  }
  return { transport: 'ssh', url: `${user === undefined ? '' : `${user}@`}${host}:${path}` };
}

function checkSshParts(user: string | undefined, host: string): void {
  if (!hostPattern.test(host) || (user !== undefined && !userPattern.test(user))) {
    throw refused('repository', 'the user or the host of the ssh address is not a plain name');
  }
}

/**
 * The name of a branch or tag by the rules of git-check-ref-format(1).
 * @throws OpError `branch-refused` or `tag-refused` (stalled).
 */
export function checkBranch(name: string, what: 'branch' | 'tag' = 'branch'): string {
  refuseUnprintable(what, name);
  const isBadPart = (part: string): boolean =>
    part === '' || part.startsWith('.') || part.endsWith('.') || part.endsWith('.lock');
  if (/[ ~^:?*[\\]|\.\.|@\{/.test(name) || name === '@' || name.split('/').some(isBadPart)) {
    throw refused(what, `\`${name}\` is not the name of a ${what}`);
  }
  return name;
}

/**
 * A folder inside the repository, as `mesh/prod`; the repository's root is the empty text.
 * @throws OpError `path-refused` (stalled) for an absolute path or one that leaves the repository.
 */
export function checkPath(path: string): string {
  if (path === '' || path === '.') {
    return '';
  }
  refuseUnprintable('path', path);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) {
    throw refused('path', `\`${path}\` is not a folder inside the repository`);
  }
  return parts.join('/');
}

/**
 * A commit, branch, tag or expression as `main~2`, whose meaning only git knows.
 * @throws OpError `revision-refused` (stalled).
 */
export function checkRevisionText(text: string): string {
  refuseUnprintable('revision', text);
  return text;
}

function refuseUnprintable(what: string, text: string): void {
  if (text === '' || text.length > textCharactersMax) {
    throw refused(what, `it has ${text.length} characters; 1 to ${textCharactersMax} are allowed`);
  }
  if (text.startsWith('-')) {
    throw refused(what, 'it begins with a dash and would be read as an option');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw refused(what, 'it contains a control character');
  }
}

function refused(what: string, reason: string): OpError {
  return new OpError(`${what}-refused`, `${what} refused: ${reason}`, {
    retry: { kind: 'stalled' },
  });
}

function decodePercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
