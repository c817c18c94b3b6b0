/** A command as a page shows it, beside the command line as it is: does all of what is shown exist? */
import type { Command, Option } from 'commander';

/**
 * Every `headgate …` in `text`, which is a block of a shell or what stands between backticks: up to a pipe, a
 * redirection, a comment or the end of the line. Lines that end in a backslash go on. A namespace of
 * Kubernetes may have the name, too (`-n headgate`).
 */
export function shownCommands(text: string): readonly string[] {
  const lines = text.replace(/\s*\\\n\s*/g, ' ');
  return [...lines.matchAll(/(?<![\w./-]|-n )headgate ([a-z][^#|>\n]*)/g)].map(
    ([, args = '']) => args,
  );
}

/** What is wrong with `args`; undefined where each command, option and choice exists. Capitals stand for any. */
export function mistakeIn(args: string, program: Command): string | undefined {
  const words = args
    .replace(/"[^"]*"|'[^']*'/g, (quoted) => quoted.replaceAll(' ', '_'))
    .split(/\s+/)
    .filter(Boolean);
  let command = program;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      const choices = pending.argChoices;
      const isName = /^[a-z]/.test(word);
      if (choices !== undefined && isName && !choices.includes(word)) {
        return `${pending.long} takes none of ${word}`;
      }
      pending = undefined;
    } else if (/^--?[a-zA-Z]/.test(word)) {
      const name = word.replace(/=.*$/, '');
      const option = optionOf(command, name);
      if (option === undefined && !['-h', '--help'].includes(name)) {
        return `${command.name()} has no ${name}`;
      }
      pending = option?.required === true && !word.includes('=') ? option : undefined;
    } else if (command.commands.length > 0) {
      const inner = command.commands.find((one) => one.name() === word);
      if (inner === undefined && word !== 'help' && !/^[A-Z]/.test(word)) {
        return `${command.name()} has no command ${word}`;
      }
      command = inner ?? command;
    }
  }
  return undefined;
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => long === name || short === name);
}
