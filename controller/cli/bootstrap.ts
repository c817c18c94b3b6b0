/** `headgate bootstrap NODE-ID`: the configuration that a stock Envoy is started with, as JSON. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { errorText } from '../base/op-error.js';
import { type HostPort, isAnyAddress, isIpAddress } from '../base/socket-address.js';
import type { BootstrapTls } from '../envoy/bootstrap.js';
import type { Io } from './io.js';
import { addHelp, readHostPort } from './options.js';

interface BootstrapCommandOptions {
  readonly xds: readonly HostPort[];
  readonly admin?: HostPort;
  readonly ingress?: HostPort;
  readonly egress?: HostPort;
  readonly announce?: string;
  readonly stats: 'all' | 'gates';
  readonly xdsCa?: string;
  readonly xdsName?: string;
  readonly xdsCert?: string;
  readonly xdsKey?: string;
  readonly tokenFile?: string;
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
    .addOption(
      new Option('--xds-ca <file>', "Authorities of the controller's certificate: TLS is used."),
    )
    .addOption(
      new Option('--xds-name <name>', "Name in the controller's certificate (default: the host)."),
    )
    .addOption(new Option('--xds-cert <file>', "The Envoy's certificate for the controller."))
    .addOption(new Option('--xds-key <file>', 'The key of that certificate.'))
    .addOption(
      new Option(
        '--token-file <file>',
        'Token of `headgate proxy-token`; it goes into the output.',
      ),
    )
    .action(async (nodeId: string, options: BootstrapCommandOptions) => {
      io.out(await bootstrap(nodeId, options, command));
    });
  return addHelp(command, [
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 127.0.0.1:18000 > envoy.json',
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 10.0.0.7:18000,10.0.0.8:18000 \\',
    '    --ingress 10.0.1.5:8080 --egress 127.0.0.1:9001 --admin 127.0.0.1:9901',
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds 10.0.0.7:18000 --announce 10.0.1.5',
    'headgate bootstrap mesh/shop/virtualNode/cart-v1 --xds headgate.internal:18000 \\',
    '    --xds-ca /tls/ca.crt --xds-cert /tls/tls.crt --xds-key /tls/tls.key',
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
  const tls = tlsOf(options, command);
  const token = options.tokenFile === undefined ? undefined : readToken(options.tokenFile, command);
  const { xds, admin, ingress, egress, announce, stats } = options;
  const bootstrapOptions = { nodeId, xds, admin, ingress, egress, announce, stats, tls, token };
  return `${JSON.stringify(renderBootstrap(bootstrapOptions), undefined, 2)}\n`;
}

function tlsOf(options: BootstrapCommandOptions, command: Command): BootstrapTls | undefined {
  const { xds, xdsCa, xdsName, xdsCert, xdsKey } = options;
  if (xdsCa === undefined) {
    if (xdsName !== undefined || xdsCert !== undefined || xdsKey !== undefined) {
      command.error("error: TLS needs --xds-ca, the authorities of the controller's certificate");
    }
    return undefined;
  }
  if ((xdsCert === undefined) !== (xdsKey === undefined)) {
    command.error('error: --xds-cert and --xds-key need each other');
  }
  const serverName = xdsName ?? xds.map(({ address }) => address).find((one) => !isIpAddress(one));
  if (serverName === undefined) {
    return command.error(
      "error: --xds has IP addresses only; name the controller's certificate with --xds-name",
    );
  }
  return { caFile: xdsCa, certificateFile: xdsCert, keyFile: xdsKey, serverName };
}

function readToken(path: string, command: Command): string {
  try {
    const token = readFileSync(path, 'utf8').trim();
    return /^[\w.-]+$/.test(token)
      ? token
      : command.error(`error: ${path} holds no token; make one with \`headgate proxy-token\``);
  } catch (error) {
    return command.error(`error: ${path} cannot be read: ${errorText(error)}`);
  }
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
