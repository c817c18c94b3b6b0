/** `headgate validate DIR`: the problems of a mesh repository on disk, in the words of the controller. */
import { Command } from 'commander';
import { plural } from '../base/plural.js';
import { printable } from '../base/printable.js';
import { hasErrors } from '../base/problem.js';
import { addBesideOption, type Beside, readBeside } from './beside.js';
import { addHeldOption, readHeld } from './held.js';
import { type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import {
  addFormatOption,
  folderFromHere,
  type ProblemFormat,
  printProblems,
} from './print-problems.js';
import { addConfigOption, readProviderNames } from './read-config.js';
import { readDirectoryOrFail } from './read-mesh.js';

interface ValidateOptions {
  readonly format: ProblemFormat;
  readonly config?: string;
  readonly beside?: readonly Beside[];
  readonly server?: string;
}

export function validateCommand(io: Io): Command {
  const command = new Command('validate')
    .summary('check a mesh repository')
    .description(
      'Checks the mesh repository in DIR and prints every problem, one a line. With the config file of ' +
        'the controller also whether it has the providers that gates ask.',
    )
    .argument('<dir>', 'directory of the mesh repository');
  addHeldOption(addBesideOption(addConfigOption(addFormatOption(command)))).action(
    async (directory: string, options: ValidateOptions) => {
      io.exitCode = await validate(directory, options, io);
    },
  );
  return addHelp(
    command,
    [
      'headgate validate .',
      'headgate validate mesh-repo-example --config /etc/headgate.yaml',
      'headgate validate mesh --format sarif > headgate.sarif',
      'headgate validate . --beside base=https://git.example/base.git#main',
    ],
    ['0  clean; warnings may have been printed', '1  errors', '2  the command line is wrong'],
  );
}

async function validate(
  directory: string,
  { format, config, ...options }: ValidateOptions,
  io: Io,
): Promise<number> {
  const { loadMeshes } = await import('../decode/load-meshes.js');
  const revision = await readDirectoryOrFail(directory, usageExitCode);
  const providers = await readProviderNames(config, io);
  const beside = await readBeside(options.beside, io);
  const { meshes, problems } = loadMeshes(revision, providers, beside);
  const folder = folderFromHere(directory);
  io.out(await printProblems(problems, revision, { format, folder }));
  const files = plural(revision.files.length, 'file');
  if (hasErrors(problems)) {
    io.say(io.sayStyle.red(`✖ ${plural(problems.length, 'problem')} in ${files}`));
    return 1;
  }
  const names = meshes.map((mesh) => mesh.name).join(', ');
  io.say(
    io.sayStyle.green(
      `✔ ${files} ${revision.files.length === 1 ? 'is' : 'are'} valid: mesh ${names}`,
    ),
  );
  const held = await readHeld(options, io);
  const { planHeld, heldTitle, heldLines } = await import('../plan/held.js');
  for (const change of planHeld(held ?? [], meshes)) {
    io.say(io.sayStyle.yellow(`! ${printable(heldTitle(change))}`));
    for (const line of heldLines(change)) {
      io.say(`    ${printable(line)}`);
    }
  }
  return 0;
}
