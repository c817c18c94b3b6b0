/** What the settings point to: the repository, certificates, tokens, secrets. All is read, nothing is changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccess } from '../access/open-access.js';
import { createAdmission } from '../admission/admission.js';
import { errorText } from '../base/op-error.js';
import { plural } from '../base/plural.js';
import { redacted } from '../base/printable.js';
import { renderProblem } from '../base/problem.js';
import { seededRandom } from '../base/random.js';
import type { Revision } from '../base/revision.js';
import { createSecretFolder } from '../certificates/secret-folder.js';
import { createClock } from '../clock.js';
import type { RepositorySettings } from '../config/repositories.js';
import type { SecretSource } from '../config/secret-source.js';
import type { Settings } from '../config.js';
import { Decoder } from '../decoder.js';
import { openSource } from '../git/open-source.js';
import { proxiedFetch } from '../http/proxied-fetch.js';
import type { CertificateExpiry, Logger, SourceEvent } from '../loop/ports.js';
import { readSecret } from '../secrets.js';
import { clockCheck } from './machine.js';
import { attempt, type Check, endCheck, failure, ok, skipped } from './result.js';

type Environment = Readonly<Record<string, string | undefined>>;

const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} };

const sourceHints: Readonly<Record<string, string>> = {
  'git-auth': 'Check the token or key, and that it may read this repository.',
  'git-host-key': 'Put the host’s key into the file of --git-known-hosts-file.',
  'git-missing': 'Install Git; Headgate starts the program `git`.',
  'git-timeout': 'The server answers too slowly: try `git ls-remote` as this user.',
  'git-unreachable': 'Check address, network and proxy, by `git ls-remote` as this user.',
  'repository-missing': 'Check the address; some servers say so too where a token is missing.',
  'repository-refused': 'Name a path, or an https or ssh URL without a password in it.',
  'branch-missing': 'Push the branch, or name another one with --branch.',
  'empty-repository': 'Push a first commit.',
  'directory-missing': 'Name a directory that is there.',
  'signature-keys': 'Check the files of signers and keys.',
};

/** Reads each repository once, with its credentials, into a folder that is removed again; then all together. */
export async function repositoryChecks(settings: Settings): Promise<readonly Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-check-'));
  try {
    const polled = await Promise.all(
      settings.repositories.map(async (repository, index) => ({
        name: repository.name,
        repo: repository.repo,
        event: await pollOnce(repository, join(folder, `cache-${index}`)),
      })),
    );
    const revisions = polled.flatMap(({ name, event }) =>
      event.kind === 'revision' ? [{ name, attempted: event.revision }] : [],
    );
    const checks = polled.map(({ name, repo, event }) =>
      repositoryCheck(`repository ${name}`.trim(), repo, event),
    );
    return revisions.length === 0 ? checks : [...checks, await meshCheck(revisions, settings)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function repositoryCheck(name: string, repo: string, event: SourceEvent): Check {
  switch (event.kind) {
    case 'failed': {
      const hint = sourceHints[event.code] ?? 'See docs/git.md: what can be deployed, and how.';
      return failure(name, `${event.message} (${event.code})`, hint);
    }
    case 'unchanged':
      return ok(name, redacted(repo));
    case 'revision': {
      const { id, ref, files } = event.revision;
      return ok(name, `${ref} @ ${id.slice(0, 12)}, ${plural(files.length, 'file')}`);
    }
  }
}

async function pollOnce(repository: RepositorySettings, cacheFolder: string): Promise<SourceEvent> {
  const clock = createClock();
  const options = { ...repository, cacheFolder, credentials: repository.git };
  try {
    const source = openSource(options, { clock, logger: silent, random: seededRandom(1) });
    const event = await new Promise<SourceEvent>((resolve) => source.start(resolve));
    await source.stop();
    return event;
  } catch (error) {
    // What a setting refuses is refused before anything is asked.
    return { kind: 'failed', code: 'repository-refused', message: errorText(error), retryInMs: 0 };
  }
}

async function meshCheck(
  revisions: readonly { readonly name: string; readonly attempted: Revision }[],
  settings: Settings,
): Promise<Check> {
  const decoder = new Decoder(settings.providers.map(({ name, kind }) => ({ name, kind })));
  const { verdicts, meshes = [] } = await decoder.load(revisions);
  await decoder.stop();
  const errors = [...verdicts.values()]
    .flatMap(({ problems }) => problems)
    .filter(({ severity }) => severity === 'error');
  const first = errors.find(({ file }) => file !== '') ?? errors[0];
  if (first !== undefined) {
    const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
    return failure('mesh', `${renderProblem(first)}${more}`, `headgate explain ${first.code}`);
  }
  return ok('mesh', meshes.map(({ name }) => name).join(', '));
}

/** The clock of the first repository's server that speaks HTTP. */
export async function serverClockCheck({ repositories }: Settings): Promise<Check> {
  const url = repositories
    .flatMap(({ repo }) => (URL.canParse(repo) ? [new URL(repo)] : []))
    .find(({ protocol }) => /^https?:$/.test(protocol));
  if (url === undefined) {
    return skipped('clock', 'no repository’s server tells its time');
  }
  const fromMs = Date.now();
  try {
    const response = await proxiedFetch(url.origin, {
      method: 'HEAD',
      signal: AbortSignal.timeout(5_000),
    });
    const period = { fromMs, toMs: Date.now() };
    return clockCheck(url.hostname, response.headers.get('date'), period);
  } catch {
    return skipped('clock', `${url.hostname} does not tell its time`);
  }
}

/** The xDS port's own certificates, and those of the folder of secrets, with their ends. */
export async function certificateChecks(settings: Settings): Promise<readonly Check[]> {
  const nowMs = Date.now();
  const clock = createClock();
  const refused: Check[] = [];
  const logger: Logger = {
    ...silent,
    warn: (event, fields = {}) => {
      if (event === 'certificates.refused') {
        const hint = 'Correct the files: proxies that name this secret wait for it.';
        refused.push(failure(`secret ${String(fields.name)}`, String(fields.reason), hint));
      }
    },
  };
  const ends: CertificateExpiry[] = [];
  const hint = 'Correct the file that it names; docs/xds-security.md says what belongs in each.';
  const port = await attempt('xDS port', hint, () => {
    if (settings.xdsAdmission === undefined) {
      return ok('xDS port', 'plain text, nobody is asked who they are');
    }
    const admission = createAdmission(settings.xdsAdmission, { clock, logger });
    ends.push(...admission.expiries());
    admission.stop();
    return ok('xDS port', 'certificates, rules and token keys can be read');
  });
  const { secrets } = settings;
  const folders =
    secrets === undefined
      ? []
      : [
          await attempt('secrets', 'Name the folder that holds one folder a secret.', async () => {
            const folder = createSecretFolder(secrets, { clock, logger });
            const found = await folder.start(() => {});
            ends.push(...folder.expiries());
            await folder.stop();
            return ok('secrets', `${found.size} in ${secrets}`);
          }),
        ];
  const named = ends.map(({ name, use, atMs }) => endCheck(`${name} (${use})`, atMs, nowMs));
  return [port, ...folders, ...refused, ...named];
}

/** Tokens of people and secrets of everything that is talked to: there, readable, of the right form. */
export async function secretChecks(
  settings: Settings,
  env: Environment,
): Promise<readonly Check[]> {
  const hint = 'Make the file readable for this user, or set the variable.';
  const { access, publicUrl, hooks, notifications } = settings;
  const signIn = await attempt('sign-in', hint, () => {
    const { methods } = openAccess(access, publicUrl);
    return methods.length === 0
      ? ok('sign-in', 'none: people on this machine are operators, others read')
      : ok('sign-in', methods.join(', '));
  });
  const named = [
    ...Object.entries(hooks).map(([name, source]) => [`hook ${name}`, source] as const),
    ...notifications.flatMap((target) =>
      secretSourcesOf(target).map((source) => [`notification ${target.name}`, source] as const),
    ),
  ];
  const secrets = await Promise.all(
    named.map(([name, source]) =>
      attempt(name, hint, () => {
        readSecret(source, env);
        return ok(name, source.kind === 'file' ? source.path : source.variable);
      }),
    ),
  );
  return [signIn, ...secrets];
}

/** Every member of a target that points to a secret. */
function secretSourcesOf(target: object): readonly SecretSource[] {
  return Object.values(target).filter(isSecretSource);
}

function isSecretSource(value: unknown): value is SecretSource {
  if (typeof value !== 'object' || value === null || !('kind' in value)) {
    return false;
  }
  const { kind } = value;
  return (kind === 'file' && 'path' in value) || (kind === 'environment' && 'variable' in value);
}
