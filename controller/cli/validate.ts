/** `headgate validate DIR`: the problems of a mesh repository on disk, in the words of the controller. */
import { Command } from 'commander';
import { hasErrors } from '../base/problem.js';
import { type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import {
  addFormatOption,
  folderFromHere,
  type ProblemFormat,
  printProblems,
} from './print-problems.js';
import { readDirectoryOrFail } from './read-mesh.js';

export function validateCommand(io: Io): Command {
  const command = new Command('validate')
    .summary('check a mesh repository')
    .description('Checks the mesh repository in DIR and prints every problem, one a line.')
    .argument('<dir>', 'directory of the mesh repository');
  addFormatOption(command).action(
    async (directory: string, { format }: { readonly format: ProblemFormat }) => {
      io.exitCode = await validate(directory, format, io);
    },
  );
  return addHelp(
    command,
    [
      'headgate validate .',
      'headgate validate mesh-repo-example',
      'headgate validate mesh --format sarif > headgate.sarif',
    ],
    ['0  clean; warnings may have been printed', '1  errors', '2  the command line is wrong'],
  );
}

async function validate(directory: string, format: ProblemFormat, io: Io): Promise<number> {
  const { loadMeshes } = await import('../decode/load-meshes.js');
  const revision = await readDirectoryOrFail(directory, usageExitCode);
  const { meshes, problems } = loadMeshes(revision);
  const folder = folderFromHere(directory);
  io.out(await printProblems(problems, revision, { format, folder }));
  const files = `${revision.files.length} files`;
  if (hasErrors(problems)) {
    io.say(io.sayStyle.red(`✖ ${problems.length} problems in ${files}`));
    return 1;
  }
  const names = meshes.map((mesh) => mesh.name).join(', ');
  io.say(io.sayStyle.green(`✔ ${files} are valid: mesh ${names}`));
  return 0;
}
