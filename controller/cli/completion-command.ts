/** `headgate completion SHELL`, and the hidden `headgate complete` that its scripts ask. */
import { Argument, Command } from 'commander';
import { printable } from '../base/printable.js';
import {
  candidatesFor,
  completionScripts,
  hiddenCommand,
  type Shell,
  shells,
} from './completion.js';
import type { Io } from './io.js';
import { addHelp } from './options.js';

export function completionCommand(io: Io): Command {
  const command = new Command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a script by which a shell completes commands, options, and the names of rollouts, proxies ' +
        'and nodes that the controller has at that moment (--server or HEADGATE_SERVER).',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: Shell) => io.out(completionScripts[shell]));
  return addHelp(command, [
    'source <(headgate completion bash)',
    'headgate completion zsh > ~/.zfunc/_headgate',
    'headgate completion fish > ~/.config/fish/completions/headgate.fish',
  ]);
}

/** `program` is asked for at the time, since this command is a part of it. */
export function completeCommand(io: Io, program: () => Command): Command {
  return new Command(hiddenCommand)
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const found = await candidatesFor(words, program(), io);
      for (const { value, about } of found) {
        io.out(`${printable(value)}\t${printable(about)}\n`);
      }
    });
}
