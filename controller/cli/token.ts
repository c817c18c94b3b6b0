/** `headgate token NAME`: a new token for the API, and the line by which the controller knows it. */
import { Command, Option } from 'commander';
import { hashOf, makeSecret } from '../access/tokens.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';

export function tokenCommand(io: Io): Command {
  const command = new Command('token')
    .summary('make a token for the API')
    .description(
      'Makes a token. Its line goes into the file that `headgate serve --tokens-file` names; the ' +
        'token itself goes to its owner, who sets HEADGATE_TOKEN or signs in with it.',
    )
    .argument('<name>', 'who it is for, as the history will say it')
    .addOption(
      new Option('--role <role>', 'What its owner may do.')
        .choices(['viewer', 'operator'])
        .default('viewer'),
    )
    .action((name: string, { role }: { readonly role: string }) => {
      if (!/^[A-Za-z0-9][\w.@+-]{0,99}$/.test(name)) {
        throw new CliError(
          'the name is letters, digits and . _ @ + -, as ann@example',
          usageExitCode,
        );
      }
      const secret = makeSecret();
      io.out(`token: ${secret}\nline:  ${role} ${name} sha256:${hashOf(secret)}\n`);
    });
  return addHelp(command, ['headgate token ann --role operator']);
}
