/**
 * `headgate plan`: what a revision would change, and which rollouts it would start, by the controller's
 * own diff and policies. `plan DIR` is a first revision, which nothing is applied before.
 */
import { Command, Option } from 'commander';
import type { Mesh } from '../mesh/model.js';
import type { Plan } from '../plan/plan.js';
import { addBesideOption, type Beside, readBeside, readCredentials } from './beside.js';
import { addHeldOption, readHeld } from './held.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import { addFormatOption, folderFromHere, type ProblemFormat } from './print-problems.js';
import { showElapsed } from './progress.js';
import { addConfigOption, readProviderNames } from './read-config.js';
import { loadOrFail, readDirectoryOrFail } from './read-mesh.js';

interface PlanOptions {
  readonly repo?: string;
  readonly from?: string;
  readonly to?: string;
  readonly path: string;
  readonly config?: string;
  readonly beside?: readonly Beside[];
  readonly detailedExitcode?: boolean;
  readonly output: 'text' | 'json' | 'markdown';
  readonly envoy?: boolean;
  readonly server?: string;
  readonly format: ProblemFormat;
}

interface Meshes {
  readonly before: readonly Mesh[];
  readonly after: readonly Mesh[];
}

export function planCommand(io: Io): Command {
  const command = new Command('plan')
    .summary('show what a revision would change')
    .description(
      'Shows what a revision changes and which rollouts it would start. A private repository is ' +
        'read with the HEADGATE_GIT_… variables of `headgate serve`.',
    )
    .argument('[dir]', 'directory of the mesh repository, compared with nothing')
    .addOption(new Option('--repo <url|dir>', 'Git repository to compare two revisions of.'))
    .addOption(new Option('--from <rev>', 'Revision that is applied.'))
    .addOption(new Option('--to <rev>', 'Revision that is to be applied.'))
    .addOption(new Option('--path <dir>', 'Folder of the mesh inside the repository.').default('.'))
    .addOption(
      new Option('-o, --output <format>', 'Form of the plan; markdown is made for a comment.')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .addOption(new Option('--envoy', 'Show what changes in the configuration of Envoys, too.'))
    .addOption(new Option('--detailed-exitcode', 'Tell changes from none by the exit code.'));
  addFormatOption(command).action(async (directory: string | undefined, options: PlanOptions) => {
    io.exitCode = await plan(directory, options, io);
  });
  return addHelp(
    addHeldOption(addBesideOption(addConfigOption(command))),
    [
      'headgate plan mesh-repo-example',
      'headgate plan --repo . --from origin/main --to HEAD --detailed-exitcode',
      'headgate plan --repo . --from origin/main --to HEAD --envoy -o markdown > plan.md',
      'headgate plan --repo . --from origin/main --to HEAD --beside base=https://git.example/base.git',
    ],
    [
      '0  done; with --detailed-exitcode: no changes',
      '1  failed; with --detailed-exitcode also: the command line is wrong',
      '2  the command line is wrong; with --detailed-exitcode: changes',
    ],
  );
}

async function plan(directory: string | undefined, options: PlanOptions, io: Io): Promise<number> {
  const { before, after } = await readMeshes(directory, options, io);
  const { planMeshes, hasChanges } = await import('../plan/plan.js');
  const held = await readHeld(options, io);
  const made = planMeshes(before, after, { withEnvoy: options.envoy === true, held });
  io.out(await render(made, options.output));
  return options.detailedExitcode === true && hasChanges(made) ? 2 : 0;
}

async function render(plan: Plan, output: PlanOptions['output']): Promise<string> {
  switch (output) {
    case 'text':
      return (await import('../plan/render-text.js')).renderText(plan);
    case 'json':
      return (await import('../plan/render-json.js')).renderJson(plan);
    case 'markdown':
      return (await import('../plan/render-markdown.js')).renderMarkdown(plan);
  }
}

async function readMeshes(
  directory: string | undefined,
  options: PlanOptions,
  io: Io,
): Promise<Meshes> {
  const { repo, from, to, path, format } = options;
  const providers = await readProviderNames(options.config, io);
  const beside = await readBeside(options.beside, io);
  const isOfRevisions = repo !== undefined || from !== undefined || to !== undefined;
  if ((directory === undefined) !== isOfRevisions) {
    throw new CliError('name either DIR or --repo with --from and --to', usageExitCode);
  }
  if (directory !== undefined) {
    const revision = await readDirectoryOrFail(directory, usageExitCode);
    const folder = folderFromHere(directory);
    return {
      before: [],
      after: await loadOrFail(revision, { format, folder, providers, beside }, io),
    };
  }
  if (repo === undefined || from === undefined || to === undefined) {
    throw new CliError('--repo, --from and --to belong together', usageExitCode);
  }
  const { readRevision } = await import('../git/read-revision.js');
  const { createClock } = await import('../clock.js');
  const deps = { clock: createClock() };
  const credentials = readCredentials(io.env);
  const read = (revision: string) =>
    showElapsed(`fetching ${revision} of ${repo}`, io, () =>
      readRevision({ repo, revision, path, credentials }, deps),
    );
  // Paths of a revision begin at the top of the repository.
  const before = await loadOrFail(await read(from), { format, folder: '', providers, beside }, io);
  const after = await loadOrFail(await read(to), { format, folder: '', providers, beside }, io);
  const names = new Set(after.map((mesh) => mesh.name));
  const gone = before.filter((mesh) => !names.has(mesh.name)).map((mesh) => mesh.name);
  if (gone.length > 0) {
    const meshes = `mesh ${gone.join(', ')}`;
    throw new CliError(`${meshes} is not in ${to}; the controller refuses to drop a whole mesh`);
  }
  return { before, after };
}
