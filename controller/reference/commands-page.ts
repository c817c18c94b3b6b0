/** `docs/reference/commands.md`: the help of every command, as the program prints it. */
import type { Command } from 'commander';
import { hiddenCommand } from '../cli/completion.js';
import { createIo } from '../cli/io.js';
import { buildProgram } from '../cli/program.js';
import type { Page } from './page.js';

/** The page's code blocks are read at this width. */
const columns = 100;

export function commandsPage(): Page {
  let printed = '';
  const io = createIo(
    {},
    {
      stdout: {
        write: (text) => {
          printed += text;
        },
      },
      stderr: { write: () => {} },
    },
  );
  const helpOf = (command: Command): string => {
    printed = '';
    command.configureOutput({ getOutHelpWidth: () => columns, getOutHasColors: () => false });
    command.outputHelp();
    return printed.trimEnd();
  };
  const parts = commandsIn(buildProgram(io), []).map(
    ({ name, command }) => `## ${name}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`,
  );
  const text = `# Commands

What each prints with \`--help\`. Data goes to stdout and talk to stderr; colours follow the terminal, \`NO_COLOR\` and
\`FORCE_COLOR\`. Commands that ask a controller take \`--server\` or \`HEADGATE_SERVER\`, and a token from
\`HEADGATE_TOKEN_FILE\` or \`HEADGATE_TOKEN\`.

${parts.join('\n')}`;
  return { path: 'docs/reference/commands.md', source: 'controller/cli', text };
}

interface Named {
  readonly name: string;
  readonly command: Command;
}

function commandsIn(command: Command, path: readonly string[]): readonly Named[] {
  const own = [...path, command.name()];
  const inner = command.commands.filter((one) => ![hiddenCommand, 'help'].includes(one.name()));
  return [{ name: own.join(' '), command }, ...inner.flatMap((one) => commandsIn(one, own))];
}
