/** `headgate bootstrap NODE-ID`: the configuration that a stock Envoy is started with, as JSON. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type HostPort, isAnyAddress, isIpAddress } from '../base/socket-address.js';
import type { Io } from './io.js';
import { addHelp, readHostPort } from './options.js';

interface BootstrapCommandOptions {
  readonly xds: readonly HostPort[];
  readonly admin?: HostPort;
  readonly ingress?: HostPort;
  readonly egress?: HostPort;
  readonly announce?: string;
  readonly stats: 'all' | 'gates';
}

const nodeIdForm = 'mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME';

export function bootstrapCommand(io: Io): Command {
  const command = new Command('bootstrap')
    .summary('print the bootstrap of an Envoy')
    .description('Prints the bootstrap that connects a stock Envoy to the controller, as JSON.')
    .argument('<node-id>', nodeIdForm)
    .addOption(
      new Option('--xds <host:port,...>', 'Where the controller listens; several for replicas.')
        .makeOptionMandatory()
        .argParser((text) => text.split(',').map(readHostPort)),
    )
    .addOption(
      new Option('--admin <host:port>', "Envoy's admin interface (default: none).").argParser(
        readHostPort,
      ),
    )
    .addOption(
      new Option('--ingress <host:port>', 'Where requests for the service come in.').argParser(
        readListener,
      ),
    )
    .addOption(
      new Option('--egress <host:port>', 'Where the application sends its requests.').argParser(
        readListener,
      ),
    )
    .addOption(
      new Option(
        '--announce <ip>',
        'Where others reach the service, for announced endpoints (default: as --ingress).',
      ).argParser(readAnnounced),
    )
    .addOption(
      new Option(
        '--stats <which>',
        'The statistics that Envoy keeps: all, or those that gates judge by where nobody reads others.',
      )
        .choices(['all', 'gates'])
        .default('all'),
    )
    .action(async (nodeId: string, options: BootstrapCommandOptions) => {
      io.out(await bootstrap(nodeId, options, command));
    });
  return addHelp(command, [
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 127.0.0.1:18000 > envoy.json',
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 10.0.0.7:18000,10.0.0.8:18000 \\',
    '    --ingress 10.0.1.5:8080 --egress 127.0.0.1:9001 --admin 127.0.0.1:9901',
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 10.0.0.7:18000 --announce 10.0.1.5',
  ]);
}

async function bootstrap(
  nodeId: string,
  options: BootstrapCommandOptions,
  command: Command,
): Promise<string> {
  const { parseNodeId } = await import('../envoy/identity.js');
  if (parseNodeId(nodeId) === undefined) {
    command.error(`error: node id ${JSON.stringify(nodeId)} is not of the form ${nodeIdForm}`);
  }
  const { renderBootstrap } = await import('../envoy/bootstrap.js');
  return `${JSON.stringify(renderBootstrap({ nodeId, ...options }), undefined, 2)}\n`;
}

/** The controller sends a listener there, so it must be an address that a socket can be bound to. */
function readListener(text: string): HostPort {
  const value = readHostPort(text);
  if (!isIpAddress(value.address) || value.port === 0) {
    throw new InvalidArgumentError('It must be an IP address and a port that is not 0.');
  }
  return value;
}

/** Others are told to call it, so it must be the address of one machine. */
function readAnnounced(text: string): string {
  if (!isIpAddress(text) || isAnyAddress(text)) {
    throw new InvalidArgumentError('It must be the IP address of one machine, as 10.0.1.5.');
  }
  return text;
}
