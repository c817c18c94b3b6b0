/** Reads meshes for `validate` and `plan`, with failures as a person is to read them. */

import { OpError } from '../base/op-error.js';
import { hasErrors, renderProblem } from '../base/problem.js';
import type { Revision } from '../base/revision.js';
import type { ProviderName } from '../mesh/gates.js';
import type { Mesh } from '../mesh/model.js';
import { CliError, type Io } from './io.js';
import { type ProblemFormat, printProblems } from './print-problems.js';

/** The files in `directory`. A directory that is not there ends the command with `missingExitCode`. */
export async function readDirectoryOrFail(
  directory: string,
  missingExitCode: number,
): Promise<Revision> {
  const { readDirectory } = await import('../git/directory.js');
  try {
    return await readDirectory(directory);
  } catch (error) {
    if (error instanceof OpError) {
      throw new CliError(error.message, error.code === 'directory-missing' ? missingExitCode : 1);
    }
    throw error;
  }
}

/**
 * The meshes of `revision`, whose gates may ask `providers`; undefined: nobody knows which there are. Where
 * it has errors the command ends: as text they are talk; in any other format they are the output, since
 * there is nothing else to put out.
 */
export async function loadOrFail(
  revision: Revision,
  options: {
    readonly format: ProblemFormat;
    readonly folder: string;
    readonly providers: readonly ProviderName[] | undefined;
    /** Revisions of the other repositories that the meshes come from. */
    readonly beside?: readonly Revision[];
  },
  io: Io,
): Promise<readonly Mesh[]> {
  const { loadMeshes } = await import('../decode/load-meshes.js');
  const { meshes, problems } = loadMeshes(revision, options.providers, options.beside);
  const isFailed = hasErrors(problems);
  if (isFailed && options.format !== 'text') {
    io.out(await printProblems(problems, revision, options));
  } else {
    for (const problem of problems) {
      io.say(renderProblem(problem));
    }
  }
  if (isFailed) {
    throw new CliError(`${revision.ref} has errors; the controller would refuse it`);
  }
  return meshes;
}
