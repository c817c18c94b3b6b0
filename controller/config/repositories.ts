/**
 * Where the mesh stands: one repository, by the settings that every source can have, or several, by the
 * config file's `repositories`. What is trusted, and how often is asked, may be said once for all; a
 * credential never, since it would be shown to every server.
 */
import { redacted } from '../base/printable.js';
import { onlyRepository } from '../base/revision.js';
import { type HookSettings, readHooks } from './hooks.js';
import { isSection, type ReportKey, reportUnknownKeys, type Section } from './keys.js';
import { type Setting, type SettingName, settingsTable, type ValueOf } from './table.js';

export interface RepositorySettings {
  /** Unique; empty where it is the only one. */
  readonly name: string;
  /** A URL or path that Git clones from, or a plain directory to watch. */
  readonly repo: string;
  readonly branch: string;
  /** Instead of the branch; at most one of the three. */
  readonly tag?: string;
  readonly semver?: string;
  readonly commit?: string;
  readonly trust: TrustFiles;
  /** Folder of the mesh inside the repository, `.` for all of it. */
  readonly path: string;
  readonly pollMs: number;
  readonly git: GitFiles;
  /** Folder for the Git objects that were fetched; may be deleted while nothing runs. */
  readonly cache: string;
  /** Whose push webhooks ask for a poll of this repository alone. */
  readonly hooks: HookSettings;
}

/** How Git proves who it is; `git/credentials.ts` says what each means. The files hold the secrets. */
export interface GitFiles {
  readonly tokenFile?: string;
  readonly username?: string;
  readonly caFile?: string;
  readonly keyFile?: string;
  readonly knownHostsFile?: string;
}

/** Whose signatures a commit must bear; `git/signature.ts` says what each file is. */
export interface TrustFiles {
  readonly signersFile?: string;
  readonly keyringFile?: string;
  readonly revokedFile?: string;
}

/** Settings that each repository has for itself. */
export const repositorySettings = [
  ...(['repo', 'branch', 'tag', 'semver', 'commit', 'path', 'poll'] as const),
  ...(['gitTokenFile', 'gitUsername', 'gitCaFile', 'gitKeyFile', 'gitKnownHostsFile'] as const),
  ...(['gitSignersFile', 'gitKeyringFile', 'gitRevokedFile'] as const),
] satisfies readonly SettingName[];

export type RepositorySetting = (typeof repositorySettings)[number];

/** Those that count for all repositories where they stand beside `repositories`. */
const commonSettings: readonly RepositorySetting[] = [
  ...(['branch', 'poll', 'gitCaFile', 'gitKnownHostsFile'] as const),
  ...(['gitSignersFile', 'gitKeyringFile', 'gitRevokedFile'] as const),
];

/** Those that cannot. */
export const singleSettings = repositorySettings.filter((name) => !commonSettings.includes(name));

export type RepositoryValues = { readonly [Name in RepositorySetting]?: ValueOf<Name> };

/** One of `repositories` as the file has it. */
export interface GivenRepository {
  readonly name: string;
  readonly values: RepositoryValues;
  readonly hooks: HookSettings;
}

/** Every new commit joins all of them, and people keep them apart by their names. */
const repositoriesMax = 16;

/** Part of a folder's name, a metric's label and a URL. */
const namePattern = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** The repositories in `value`; those that cannot be used are reported and left out. */
export function readRepositories(value: unknown, report: ReportKey): readonly GivenRepository[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > repositoriesMax) {
    report('repositories', `is no list of 1 to ${repositoriesMax} repositories`);
    return [];
  }
  const names = new Set<unknown>();
  return value.flatMap((section: unknown, index): readonly GivenRepository[] => {
    const path = `repositories[${index}]`;
    if (!isSection(section)) {
      report(path, 'is no mapping with name and repo');
      return [];
    }
    reportUnknownKeys(path, section, ['name', 'hooks', ...repositorySettings], report);
    const { name } = section;
    if (typeof name !== 'string' || !namePattern.test(name)) {
      report(`${path}.name`, 'is missing or no name of lower-case letters, digits, dashes');
      return [];
    }
    if (names.has(name)) {
      report(`${path}.name`, `is ${name}, as another's; give each a name of its own`);
    }
    names.add(name);
    const values = readValues(path, section, report);
    return [{ name, values, hooks: readHooks(section.hooks, report, `${path}.hooks`) }];
  });
}

function readValues(path: string, section: Section, report: ReportKey): RepositoryValues {
  const entries = repositorySettings.flatMap((name) => {
    const value = section[name];
    if (value === undefined || value === null) {
      return [];
    }
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      report(`${path}.${name}`, 'is no single value');
      return [];
    }
    const setting: Setting<unknown> = settingsTable[name];
    const parsed = setting.parse(String(value));
    if ('allowed' in parsed) {
      const found = redacted(JSON.stringify(String(value)));
      report(`${path}.${name}`, `is ${found}; expected ${parsed.allowed}`);
      return [];
    }
    return [[name, parsed.value]];
  });
  const values: RepositoryValues = Object.fromEntries(entries);
  if (values.repo === undefined && section.repo === undefined) {
    report(`${path}.repo`, 'is missing; name the Git repository of the mesh, or a directory');
  }
  const refs = (['branch', 'tag', 'semver', 'commit'] as const).filter(
    (name) => section[name] !== undefined,
  );
  if (refs.length > 1) {
    report(path, `has ${refs.join(' and ')}, which each say what is deployed; name one of them`);
  }
  return values;
}

/** The one repository of `values`. Undefined where it is missing. */
export function onlyRepositoryOf(
  values: RepositoryValues,
  cache: string,
): RepositorySettings | undefined {
  return repositoryOf({ name: onlyRepository, values, hooks: {} }, cache);
}

/** One of several: what it does not say is as `common` says. */
export function namedRepositoryOf(
  given: GivenRepository,
  common: RepositoryValues,
  cache: string,
): RepositorySettings | undefined {
  const shared = commonSettings.map((name) => [name, common[name]] as const);
  const values: RepositoryValues = { ...Object.fromEntries(shared), ...given.values };
  return repositoryOf({ ...given, values }, `${cache}-${given.name}`);
}

function repositoryOf(
  { name, values, hooks }: GivenRepository,
  cache: string,
): RepositorySettings | undefined {
  const { repo, branch, poll } = values;
  if (repo === undefined || branch === undefined || poll === undefined) {
    return undefined;
  }
  return {
    ...{ name, repo, branch, hooks, cache },
    tag: values.tag,
    semver: values.semver,
    commit: values.commit,
    trust: {
      signersFile: values.gitSignersFile,
      keyringFile: values.gitKeyringFile,
      revokedFile: values.gitRevokedFile,
    },
    path: values.path ?? settingsTable.path.default,
    pollMs: poll,
    git: {
      tokenFile: values.gitTokenFile,
      username: values.gitUsername,
      caFile: values.gitCaFile,
      keyFile: values.gitKeyFile,
      knownHostsFile: values.gitKnownHostsFile,
    },
  };
}
