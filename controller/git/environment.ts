/**
 * The environment of every git child, made from nothing: only what is listed here gets in. Variables
 * and configuration files of the user or the machine can make git run commands (GIT_SSH_COMMAND,
 * core.fsmonitor, credential helpers) or talk to another server (url.insteadOf), so none is read.
 */
import { dirname } from 'node:path';
import type { CacheFolder } from './cache-folder.js';
import { type GitCredentials, type Secret, sshCommand } from './credentials.js';
import type { Transport } from './repository.js';

/** What passes from our own environment: where programs are, the way out, and the ssh agent. */
const passedOn = [
  'PATH',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'SSH_AUTH_SOCK',
] as const;

/** For commands that read the cache; they can reach no server. `gitDir` is the repository they read. */
export function localEnvironment(folder: CacheFolder, gitDir?: string): Record<string, string> {
  return {
    ...inherited(),
    HOME: folder.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: folder.configFile,
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    // A missing object is a broken cache: git must not go and fetch it on its own.
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // An empty folder: no hook of the machine's template gets into our repositories.
    GIT_TEMPLATE_DIR: folder.home,
    GIT_ALLOW_PROTOCOL: '',
    // Commands without a repository of their own must not find one further up.
    GIT_CEILING_DIRECTORIES: dirname(folder.home),
    ...(gitDir !== undefined && { GIT_DIR: gitDir }),
  };
}

/** For commands that talk to the server: as local, and one transport with its credentials. */
export function remoteEnvironment(
  local: Readonly<Record<string, string>>,
  remote: {
    readonly folder: CacheFolder;
    readonly transport: Transport;
    readonly credentials: GitCredentials;
    readonly secret?: Secret;
  },
): Record<string, string> {
  return {
    ...local,
    GIT_ALLOW_PROTOCOL: remote.transport,
    GIT_SSH_COMMAND: sshCommand(remote.credentials),
    GIT_SSH_VARIANT: 'ssh',
    GIT_ASKPASS: remote.folder.askpassFile,
    ...(remote.secret && {
      HEADGATE_GIT_USERNAME: remote.secret.username,
      HEADGATE_GIT_PASSWORD: remote.secret.password,
    }),
  };
}

function inherited(): Record<string, string> {
  const entries: [string, string][] = [];
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) {
      entries.push([name, value]);
    }
  }
  return Object.fromEntries(entries);
}
