/** Every setting as an option: of `serve`, and of what checks for it. */
import { type Command, Option } from 'commander';
import { flagOf, settingNames, settingsTable } from '../config/table.js';

export function addSettingOptions(command: Command): Command {
  for (const name of settingNames) {
    command.addOption(optionOf(name));
  }
  return command;
}

function optionOf(name: (typeof settingNames)[number]): Option {
  const { help, ...setting }: { help: string; placeholder?: string; default?: string } =
    settingsTable[name];
  if (setting.placeholder === undefined) {
    return new Option(flagOf(name), help);
  }
  const value = setting.default === undefined ? '' : ` (default: ${setting.default})`;
  const text = value === '' ? help : help.replace(/\.$/, `${value}.`);
  return new Option(`${flagOf(name)} <${setting.placeholder.toLowerCase()}>`, text);
}
