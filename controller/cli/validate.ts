/** `headgate validate DIR`: the problems of a mesh repository on disk, in the words of the controller. */
import { Command } from 'commander';
import { hasErrors, renderProblem } from '../base/problem.js';
import { type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import { readDirectoryOrFail } from './read-mesh.js';

export function validateCommand(io: Io): Command {
  const command = new Command('validate')
    .summary('check a mesh repository')
    .description('Checks the mesh repository in DIR and prints every problem, one a line.')
    .argument('<dir>', 'directory of the mesh repository')
    .action(async (directory: string) => {
      io.exitCode = await validate(directory, io);
    });
  return addHelp(
    command,
    ['headgate validate .', 'headgate validate mesh-repo-example'],
    ['0  clean; warnings may have been printed', '1  errors', '2  the command line is wrong'],
  );
}

async function validate(directory: string, io: Io): Promise<number> {
  const { loadMeshes } = await import('../decode/load-meshes.js');
  const revision = await readDirectoryOrFail(directory, usageExitCode);
  const { meshes, problems } = loadMeshes(revision);
  io.out(problems.map((problem) => `${renderProblem(problem)}\n`).join(''));
  const files = `${revision.files.length} files`;
  if (hasErrors(problems)) {
    io.say(io.sayStyle.red(`✖ ${problems.length} problems in ${files}`));
    return 1;
  }
  const names = meshes.map((mesh) => mesh.name).join(', ');
  io.say(io.sayStyle.green(`✔ ${files} are valid: mesh ${names}`));
  return 0;
}
