/** `headgate proxy-token NODE-ID`: a token by which an Envoy says who it is, where it has no certificate. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../base/duration.js';
import { errorText } from '../base/op-error.js';
import { CliError, type Io } from './io.js';
import { addHelp } from './options.js';

interface TokenOptions {
  readonly key: string;
  readonly expires: number;
}

export function proxyTokenCommand(io: Io): Command {
  const command = new Command('proxy-token')
    .summary('issue a token for an Envoy')
    .description(
      'Prints a signed token by which an Envoy may be the node, and on stderr its id, by which it is ' +
        'revoked. In the node id * stands for one part; `operator` may see the state of every proxy.',
    )
    .argument('<node-id>', 'mesh/MESH/virtualNode/NAME, mesh/MESH/virtualGateway/NAME or operator')
    .addOption(
      new Option('--key <file>', "The controller's --xds-token-key.").makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <duration>', 'How long it counts, 1m to 8760h (default: 720h).')
        .default(30 * 24 * 3_600_000, '720h')
        .argParser(readLifetime),
    )
    .action(async (node: string, options: TokenOptions) => {
      await issue(node, options, io);
    });
  return addHelp(command, [
    'headgate proxy-token mesh/shop/virtualNode/cart-v1 --key /etc/headgate/token.key > token',
    "headgate proxy-token 'mesh/shop/virtualNode/*' --key /etc/headgate/token.key --expires 24h",
  ]);
}

async function issue(node: string, { key: path, expires }: TokenOptions, io: Io): Promise<void> {
  const { parseNodeId } = await import('../envoy/identity.js');
  if (node !== 'operator' && parseNodeId(node) === undefined) {
    throw new CliError(
      `node id ${JSON.stringify(node)} is not of the form mesh/MESH/virtualNode/NAME or ` +
        'mesh/MESH/virtualGateway/NAME',
      2,
    );
  }
  const { issueToken, newTokenId, parseKeys } = await import('../admission/tokens.js');
  const keys = parseKeys(readText(path));
  if ('fault' in keys) {
    throw new CliError(`${path} cannot be used: ${keys.fault}`);
  }
  const [key = ''] = keys;
  const issuedAtS = Math.floor(Date.now() / 1000);
  const expiresAtS = issuedAtS + Math.floor(expires / 1000);
  const id = newTokenId();
  io.out(`${issueToken({ id, node, issuedAtS, expiresAtS }, key)}\n`);
  io.say(`token ${id} of ${node}, until ${new Date(expiresAtS * 1000).toISOString()}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${errorText(error)}`);
  }
}

function readLifetime(text: string): number {
  const valueMs = parseDuration(text);
  if (valueMs === undefined || valueMs < 60_000 || valueMs > 8760 * 3_600_000) {
    throw new InvalidArgumentError('It must be a duration from 1m to 8760h, as 24h.');
  }
  return valueMs;
}
