/** Where settings stand, and which of them wins: flags, the environment, the file, the default. */
import { redacted } from '../base/printable.js';
import type { ConfigFile } from './file.js';
import {
  flagOf,
  type Setting,
  type SettingName,
  settingNames,
  settingsTable,
  type ValueOf,
  variableOf,
} from './table.js';

export interface SettingSources {
  /** By setting name; a switch is a boolean. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** An empty variable counts as unset, as compose files leave them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile;
}

/** Takes one thing that is wrong; `place` is a flag, a variable or a line of the file. */
export type Report = (place: string, message: string, severity?: 'error' | 'warning') => void;

/** Each setting that is given or has a default. */
export type Values = { readonly [Name in SettingName]?: ValueOf<Name> };

/** What cannot be read is reported and left out. */
export function readValues(sources: SettingSources, report: Report): Values {
  const entries = settingNames.flatMap((name) => {
    const setting: Setting<unknown> = settingsTable[name];
    const given = findText(name, sources);
    const text = given?.text ?? setting.default;
    if (text === undefined) {
      return [];
    }
    const parsed = setting.parse(text);
    if ('allowed' in parsed) {
      const found = redacted(JSON.stringify(text));
      report(given?.place ?? name, `${name} is ${found}; expected ${parsed.allowed}`);
      return [];
    }
    return [[name, parsed.value]];
  });
  return Object.fromEntries(entries);
}

/** The text of the setting from the source that wins, and where that is. */
export function findText(
  name: SettingName,
  { flags, env, file }: SettingSources,
): { readonly text: string; readonly place: string } | undefined {
  if (flags[name] !== undefined) {
    return { text: String(flags[name]), place: flagOf(name) };
  }
  const variable = variableOf(name);
  if (env[variable]) {
    return { text: env[variable], place: variable };
  }
  return file?.values.get(name);
}
