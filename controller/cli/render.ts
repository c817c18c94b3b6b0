/** `headgate render NODE-ID DIR`: what an Envoy would be given, from files alone. */
import { Command, Option } from 'commander';
import { nearestName } from '../base/nearest-name.js';
import type { HostPort } from '../base/socket-address.js';
import type { ProxyIdentity } from '../envoy/snapshot.js';
import type { Mesh } from '../mesh/model.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp, readHostPort } from './options.js';
import { renderData } from './print.js';
import { loadOrFail, readDirectoryOrFail } from './read-mesh.js';

interface RenderOptions {
  readonly ingress?: HostPort;
  readonly egress?: HostPort;
  readonly grpc?: boolean;
  readonly output: 'yaml' | 'json';
}

export function renderCommand(io: Io): Command {
  const command = new Command('render')
    .summary("print an Envoy's configuration from files")
    .description(
      'Prints what the Envoy with a node id would be given of the mesh repository in DIR, each resource ' +
        'by type and name. No controller is asked; announced endpoints are therefore empty.',
    )
    .argument('<node-id>', 'mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME')
    .argument('<dir>', 'directory of the mesh repository')
    .addOption(
      new Option('--ingress <host:port>', 'As `headgate bootstrap` has it.').argParser(
        readHostPort,
      ),
    )
    .addOption(
      new Option('--egress <host:port>', 'As `headgate bootstrap` has it.').argParser(readHostPort),
    )
    .addOption(new Option('--grpc', 'For a gRPC client with xDS built in, in place of an Envoy.'))
    .addOption(
      new Option('-o, --output <format>', 'Form of the output.')
        .choices(['yaml', 'json'])
        .default('yaml'),
    )
    .action(async (nodeId: string, directory: string, options: RenderOptions) => {
      io.out(await render(nodeId, directory, options, io));
    });
  return addHelp(command, [
    'headgate render mesh/shop/virtualNode/web mesh-repo-example',
    'headgate render mesh/shop/virtualGateway/edge . -o json | jq .route',
  ]);
}

async function render(
  nodeId: string,
  directory: string,
  options: RenderOptions,
  io: Io,
): Promise<string> {
  const [{ parseNodeId }, { snapshotFor }, { snapshotJson }] = await Promise.all([
    import('../envoy/identity.js'),
    import('../envoy/translate.js'),
    import('../envoy/resource-json.js'),
  ]);
  const resource = parseNodeId(nodeId);
  if (resource === undefined) {
    throw new CliError(
      `${nodeId} is not of the form mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME`,
      usageExitCode,
    );
  }
  const revision = await readDirectoryOrFail(directory, usageExitCode);
  const meshes = await loadOrFail(
    revision,
    { format: 'text', folder: '', providers: undefined },
    io,
  );
  const { ingress, egress, grpc, output } = options;
  const proxy: ProxyIdentity = {
    nodeId,
    resource,
    instance: '',
    kind: grpc === true ? 'grpc' : 'envoy',
    ingress,
    egress,
  };
  const mesh = meshes.find(({ name }) => name === resource.mesh);
  const snapshot = mesh && snapshotFor(mesh, proxy);
  if (snapshot === undefined) {
    throw new CliError(missing(resource, meshes));
  }
  return renderData(snapshotJson(snapshot), output);
}

function missing(
  { mesh, kind, name }: NonNullable<ProxyIdentity['resource']>,
  meshes: readonly Mesh[],
): string {
  const found = meshes.find((one) => one.name === mesh);
  const names = (
    found === undefined
      ? meshes
      : kind === 'VirtualNode'
        ? found.virtualNodes
        : found.virtualGateways
  ).map((one) => one.name);
  const [what, wanted] = found === undefined ? ['mesh', mesh] : [`${kind} in mesh ${mesh}`, name];
  const nearest = nearestName(wanted, names);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return `there is no ${what} with the name ${wanted}${hint}`;
}
