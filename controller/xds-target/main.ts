/**
 * `npm run -s xds-target -- --xds HOST:PORT --ctl HOST:PORT [--services S --nodes N [--views
 * shared|each]]`: the xDS server alone, until SIGINT or SIGTERM. Prints one line on stdout once both ports
 * accept, and what goes wrong on stderr.
 */
import { parseArgs } from 'node:util';
import { errorText } from '../base/op-error.js';
import { type HostPort, parseHostPort, renderHostPort } from '../base/socket-address.js';
import { createClock } from '../clock.js';
import { createLogger } from '../log.js';
import { startTarget, type TargetOptions } from './target.js';

const usage = `usage: xds-target --xds HOST:PORT --ctl HOST:PORT
       [--services 1..60000 [--nodes N] [--views shared|each]]`;

try {
  const options = parseOptions(process.argv.slice(2));
  const target = await startTarget(options, {
    clock: createClock(),
    logger: createLogger({ logLevel: 'warn', logFormat: 'auto' }),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => target.stop());
  }
  console.log(
    `xds-target: xds ${renderHostPort(target.xds)} ctl ${renderHostPort(target.control)}`,
  );
} catch (error) {
  console.error(`xds-target: ${errorText(error)}\n${usage}`);
  process.exitCode = 2;
}

function parseOptions(argv: readonly string[]): TargetOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      xds: { type: 'string' },
      ctl: { type: 'string' },
      services: { type: 'string' },
      nodes: { type: 'string' },
      views: { type: 'string', default: 'shared' },
    },
  });
  const { views } = values;
  if (views !== 'shared' && views !== 'each') {
    throw new Error(`--views is ${views}, and may be shared or each`);
  }
  const services = parseCount('services', values.services, 60_000);
  const nodes = parseCount('nodes', values.nodes, 100_000);
  if (views === 'each' && nodes === undefined) {
    throw new Error('--views each needs --nodes');
  }
  return {
    xds: parseAddress('xds', values.xds),
    control: parseAddress('ctl', values.ctl),
    ...(services === undefined
      ? {}
      : { synthetic: { services, nodes: views === 'each' ? nodes : undefined } }),
  };
}

function parseAddress(name: string, value: string | undefined): HostPort {
  const address = value === undefined ? undefined : parseHostPort(value);
  if (address === undefined) {
    throw new Error(`--${name} is ${value ?? 'missing'}, and has to be HOST:PORT`);
  }
  return address;
}

function parseCount(name: string, value: string | undefined, max: number): number | undefined {
  const count = value === undefined ? undefined : Number(value);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= max)) {
    throw new Error(`--${name} is ${value}, and may be 1 to ${max}`);
  }
  return count;
}
