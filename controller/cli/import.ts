/** `headgate import app-mesh`: App Mesh definitions in, a mesh repository and a report of every field out. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { hasErrors } from '../base/problem.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';

interface ImportFlags {
  readonly out: string;
  readonly parameter: ReadonlyMap<string, string>;
  readonly mesh?: string;
  readonly force?: boolean;
}

const reportName = 'import-report.md';

export function importCommand(io: Io): Command {
  const appMesh = new Command('app-mesh')
    .summary('import App Mesh definitions')
    .description(
      'Reads Kubernetes manifests (appmesh.k8s.aws/v1beta2), CloudFormation templates and the JSON of ' +
        '`aws appmesh`, writes a mesh repository to the folder of --out, and says what became of every ' +
        'field: as text here, and as import-report.md there.',
    )
    .argument('<path...>', 'files, and folders whose YAML and JSON is read')
    .addOption(new Option('--out <dir>', 'Folder of the mesh repository.').makeOptionMandatory())
    .addOption(
      new Option(
        '--parameter <name=value>',
        'Value of a template: a parameter, AWS::StackName, Resource.Attribute, an export, or the NAME of a Kubernetes placeholder. Repeatable.',
      )
        .argParser(readParameter)
        .default(new Map(), 'none'),
    )
    .addOption(new Option('--mesh <name>', 'Mesh of definitions that name none.'))
    .addOption(new Option('--force', 'Write over files that no import wrote.'))
    .action(async (paths: string[], flags: ImportFlags) => {
      io.exitCode = await run(paths, flags, io);
    });
  addHelp(
    appMesh,
    [
      'headgate import app-mesh k8s/ --out mesh',
      'headgate import app-mesh mesh.yaml --out mesh --parameter MeshName=shop',
      'aws appmesh describe-mesh --mesh-name shop > shop.json && headgate import app-mesh shop.json --out mesh',
    ],
    [
      '0  everything was carried',
      '1  imported with losses: the report says what to look at; or the folder may not be written to',
      '2  something could not be read, or the command line is wrong; nothing was written',
    ],
  );
  const command = new Command('import')
    .summary('import definitions of another mesh')
    .description('Imports definitions of another mesh.')
    .addCommand(appMesh);
  return addHelp(command, ['headgate import app-mesh k8s/ --out mesh']);
}

function readParameter(
  text: string,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be NAME=VALUE.');
  }
  return new Map([...before, [name, value]]);
}

async function run(paths: readonly string[], flags: ImportFlags, io: Io): Promise<number> {
  const { importAppMesh, hasLosses } = await import('../import/import-app-mesh.js');
  const { renderMarkdown, renderText, renderTotals } = await import('../import/render-report.js');
  const { readSources, writeResult } = await import('./import-files.js');
  const { files, found } = await readSources(paths, flags.out);
  const { parameter: parameters, mesh } = flags;
  const result = importAppMesh(files, { parameters, mesh, found });
  if (result.kind === 'unreadable') {
    for (const { place, message } of result.faults) {
      io.say(io.sayStyle.red(`${place.file}:${place.line}:${place.column}: error ${message}`));
    }
    return usageExitCode;
  }
  const imported = result.import;
  if (imported.resources === 0) {
    io.out(renderText(imported));
    throw new CliError(
      `no definition of App Mesh is in ${paths.join(', ')}; nothing was written`,
      usageExitCode,
    );
  }
  const report = { path: reportName, text: renderMarkdown(imported) };
  await writeResult(flags.out, [...imported.files, report], { force: flags.force === true });
  io.out(renderText(imported));
  for (const name of imported.unused) {
    io.say(io.sayStyle.yellow(`--parameter ${name}: nothing in the input asks for it`));
  }
  const isValid = !hasErrors(imported.problems.map(({ problem }) => problem));
  const written = `${imported.resources} resources of mesh ${imported.meshes.join(', ')} in ${flags.out}`;
  const lossy = hasLosses(imported);
  const paint = lossy ? io.sayStyle.yellow : io.sayStyle.green;
  io.say(
    paint(
      `${isValid ? '✔' : '✖'} ${written}${isValid ? ', valid' : ', not valid yet'}: ${renderTotals(imported)}`,
    ),
  );
  return lossy ? 1 : 0;
}
