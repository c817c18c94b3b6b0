/** Which cells are measured, and which servers in each. */
import type { Cell, ServerName } from './measure.js';

/** Every combination, the quickest to measure first. */
export function crossed(
  clients: readonly number[],
  services: readonly number[],
  variants: readonly Cell['variant'][],
): readonly Cell[] {
  return services
    .flatMap((each) =>
      clients.flatMap((count) =>
        variants.map((variant) => ({ clients: count, services: each, variant })),
      ),
    )
    .sort((a, b) => size(a) - size(b));
}

const size = ({ clients, services }: Cell): number => clients * services;

/** The peer's snapshot for each node took five minutes and more above this many clients times services. */
const eachSizeMax = 500_000;

/** Of `servers` those that get done with `cell` in a minute or two. */
export function affordable(cell: Cell, servers: readonly ServerName[]): readonly ServerName[] {
  return size(cell) <= eachSizeMax
    ? servers
    : servers.filter((server) => server !== 'each' && server !== 'ours-each');
}

/** The peer's snapshot cache takes minutes for a hundred changes above this many clients times services. */
const manySizeMax = 200_000;

const fastEnough: readonly ServerName[] = ['ours', 'shared', 'linear'];

/** Whether a hundred changes are measured too, one after another: what a change costs in a warm server. */
export function hasManyChanges(cell: Cell, server: ServerName): boolean {
  return size(cell) <= manySizeMax && fastEnough.includes(server);
}

/** Ten times the services, twice, and ten times the clients. */
export const growthCells: readonly Cell[] = [
  { clients: 100, services: 100, variant: 'delta' },
  { clients: 100, services: 1_000, variant: 'delta' },
  { clients: 100, services: 10_000, variant: 'delta' },
  { clients: 1_000, services: 100, variant: 'delta' },
];
