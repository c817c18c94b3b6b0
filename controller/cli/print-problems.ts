/** Problems on standard output: as text, or in the form that a Git server or CI shows beside the lines. */
import { isAbsolute, relative, sep } from 'node:path';
import { type Command, Option } from 'commander';
import type { AnnotationFormat } from '../annotations/annotate.js';
import { type Problem, renderProblem } from '../base/problem.js';
import type { Revision } from '../base/revision.js';
import { renderOrigin } from '../mesh/origins.js';
import { programVersion } from '../version.js';

export type ProblemFormat = AnnotationFormat | 'text';

const formats: readonly ProblemFormat[] = ['text', 'github', 'gitlab', 'sarif', 'junit'];

/** Adds `--format`. */
export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--format <format>',
      "Form of the problems: lines, GitHub's annotations, GitLab's code quality, SARIF or JUnit.",
    )
      .choices(formats)
      .default('text'),
  );
}

/** The text of `problems` of `revision`. `folder`: where the paths begin, from the top of the repository. */
export async function printProblems(
  problems: readonly Problem[],
  revision: Pick<Revision, 'files'>,
  options: { readonly format: ProblemFormat; readonly folder: string },
): Promise<string> {
  const { format, folder } = options;
  if (format === 'text') {
    return problems.map((problem) => `${renderProblem(problem)}\n`).join('');
  }
  const { annotate } = await import('../annotations/annotate.js');
  const inFolder = (file: string) =>
    file === '' ? folder : `${folder === '' ? '' : `${folder}/`}${file}`;
  return annotate(
    {
      problems: problems.map((problem) =>
        problem.repository === undefined
          ? { ...problem, file: inFolder(problem.file) }
          : elsewhere(problem, folder),
      ),
      files: revision.files.map(({ path }) => inFolder(path)),
      version: programVersion(),
    },
    format,
  );
}

/** A problem of a file that the reader of the annotations does not have. */
function elsewhere(problem: Problem, folder: string): Problem {
  const message = `${renderOrigin(problem)}: ${problem.message}`;
  return { ...problem, message, file: folder, line: 0, column: 0 };
}

/**
 * `directory` as seen from where the command runs, which in CI is the top of the repository; empty where it
 * is that, or lies elsewhere.
 */
export function folderFromHere(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path.startsWith('..') || isAbsolute(path) ? '' : path.split(sep).join('/');
}
