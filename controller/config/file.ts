/**
 * The config file (`headgate.yaml`) as text to settings that are still text, and its notification
 * targets. Keys are the flags' names in camelCase. An unknown key is an error: a mistyped limit that is
 * ignored in silence is found out on the day it was for. Reading the file is the caller's.
 */
import { load, YAMLException } from 'js-yaml';
import { type HookSettings, readHooks } from './hooks.js';
import { isSection, type ReportKey, reportUnknownKeys, type Section } from './keys.js';
import { type NotificationTarget, readNotifications } from './notifications.js';
import { type ProviderSettings, readProviders } from './providers.js';
import { type GivenRepository, readRepositories } from './repositories.js';
import type { SettingProblem } from './setting-problem.js';
import { type SettingName, settingNames } from './table.js';

/** A setting as the file gives it, not yet parsed. */
export interface FileValue {
  readonly text: string;
  /** `headgate.yaml:3`. */
  readonly place: string;
}

export interface ConfigFile {
  readonly values: ReadonlyMap<SettingName, FileValue>;
  readonly notifications: readonly NotificationTarget[];
  readonly hooks: HookSettings;
  readonly providers: readonly ProviderSettings[];
  /** Empty where there is only one, which has no section of its own. */
  readonly repositories: readonly GivenRepository[];
  readonly problems: readonly SettingProblem[];
}

/** A config file has some tens of lines; what is larger is another file. */
const fileCharactersMax = 64 * 1024;

/** Deeper than any setting nests, by far. */
const nestingMax = 16;

/** Keys that are no single value. */
const sections = ['notifications', 'hooks', 'providers', 'repositories'];

/** Everything in `text`, the content of the file called `name`. */
export function parseConfigFile(name: string, text: string): ConfigFile {
  const problems: SettingProblem[] = [];
  const placeOf = (path: string) => {
    const line = lineOf(text, path);
    return line === undefined ? name : `${name}:${line}`;
  };
  const report: ReportKey = (path, message) => {
    problems.push({ severity: 'error', place: placeOf(path), message: `${path} ${message}` });
  };
  const document = parseYaml(name, text, problems);
  reportUnknownKeys('', document, [...settingNames, ...sections], report);
  const values = new Map<SettingName, FileValue>();
  for (const setting of settingNames) {
    const value = document[setting];
    if (['string', 'number', 'boolean'].includes(typeof value)) {
      values.set(setting, { text: String(value), place: placeOf(setting) });
    } else if (value !== undefined && value !== null) {
      report(setting, 'is no single value');
    }
  }
  const notifications = readNotifications(document.notifications, report);
  const hooks = readHooks(document.hooks, report);
  const providers = readProviders(document.providers, report);
  const repositories = readRepositories(document.repositories, report);
  return { values, notifications, hooks, providers, repositories, problems };
}

function parseYaml(name: string, text: string, problems: SettingProblem[]): Section {
  const refuse = (place: string, message: string) => {
    problems.push({ severity: 'error', place, message });
    return {};
  };
  if (text.length > fileCharactersMax) {
    return refuse(name, `is ${text.length} characters long; at most ${fileCharactersMax} are read`);
  }
  if (text.replace(/^\s*#.*$/gm, '').trim() === '') {
    return {};
  }
  try {
    const document = load(text, { maxDepth: nestingMax, maxAliases: 0 });
    return isSection(document) ? document : refuse(name, 'is no mapping of settings');
  } catch (error) {
    if (!(error instanceof YAMLException)) {
      throw error;
    }
    const place = error.mark === undefined ? name : `${name}:${error.mark.line + 1}`;
    return refuse(place, `is no valid YAML: ${error.reason}`);
  }
}

/** The line of the top-level key that `path` lies in; undefined in the flow style, which has no lines. */
function lineOf(text: string, path: string): number | undefined {
  const key = path.split(/[.[]/, 1)[0] ?? '';
  const index = text.split('\n').findIndex((line) => {
    const [, quoted] = /^["']?([^"':\s]+)["']?\s*:/.exec(line) ?? [];
    return quoted === key;
  });
  return index === -1 ? undefined : index + 1;
}
