/**
 * What a proxy is to have, what it acknowledged and what its Envoy runs, side by side. Contents are compared,
 * in one spelling; versions stand in for those that Envoy does not show (secrets) or keeps otherwise.
 */
import type { ConfigVersionView, ProxyResourceView } from '../api/proxy-config-view.js';
import type { ProxyTypeName } from '../api/proxy-view.js';
import { canonicalJson } from '../envoy/canonical-json.js';
import type { ConfigDump, RunningResource } from '../envoy/config-dump.js';
import { protoTypeOf, type ResourceType } from '../envoy/snapshot.js';

type Plain = Readonly<Record<string, unknown>>;

/**
 * - `asIntended`: it runs what it is to run.
 * - `warming`: what it is to run waits in Envoy for something that it needs, and nothing else is there.
 * - `asAcknowledged`: it runs what it acknowledged, and is to run something else.
 * - `other`: it runs neither.
 * - `missing`: it is to have it, and its Envoy has nothing of that name.
 * - `onlyInEnvoy`: its Envoy has it, and the controller knows nothing of it, or wants it gone.
 * - `notTold`: the dump does not tell.
 */
export type RunningState =
  | 'asIntended'
  | 'warming'
  | 'asAcknowledged'
  | 'other'
  | 'missing'
  | 'onlyInEnvoy'
  | 'notTold';

export interface ComparedResource {
  readonly type: ProxyTypeName;
  readonly name: string;
  readonly runs: RunningState;
  /** True where what is intended, acknowledged and running are not all the same. */
  readonly differs: boolean;
  /** Envoy's words where it refused it. */
  readonly error?: string;
  /** Null: nothing, in each of the three. */
  readonly intended: ConfigVersionView | null;
  readonly acknowledged: ConfigVersionView | null;
  readonly running: (ConfigVersionView & { readonly isWarming: boolean }) | null;
}

const types: Readonly<Record<ProxyTypeName, ResourceType>> = {
  cds: 'cluster',
  eds: 'endpoint',
  lds: 'listener',
  rds: 'route',
  sds: 'secret',
};

/** In the order of `known`; what only Envoy has comes last. */
export function compareRunning(
  known: readonly ProxyResourceView[],
  dump: ConfigDump,
): readonly ComparedResource[] {
  const compared = known.map((resource) => {
    const type = types[resource.type];
    const found = dump.resources.find((one) => one.type === type && one.name === resource.name);
    return compare(resource, found, dump);
  });
  const names = new Set(known.map(({ type, name }) => `${types[type]} ${name}`));
  const strangers = dump.resources.filter(({ type, name }) => !names.has(`${type} ${name}`));
  return [...compared, ...strangers.map((one) => stranger(one, dump))];
}

function compare(
  resource: ProxyResourceView,
  found: RunningResource | undefined,
  dump: ConfigDump,
): ComparedResource {
  const { name, error } = resource;
  const type = types[resource.type];
  const intended = viewKnown(type, resource.desired);
  const acknowledged = viewKnown(type, resource.running);
  const running = found === undefined ? null : viewFound(found, dump);
  const runs = dump.types.has(type)
    ? runningState({ intended, acknowledged, running }, dump)
    : 'notTold';
  const isDelivered = resource.desired?.version === resource.running?.version;
  const differs = !isDelivered || !(runs === 'asIntended' || runs === 'notTold');
  return { type: resource.type, name, runs, differs, error, intended, acknowledged, running };
}

function stranger(found: RunningResource, dump: ConfigDump): ComparedResource {
  const type = (Object.keys(types) as ProxyTypeName[]).find((one) => types[one] === found.type);
  return {
    ...{ type: type ?? 'cds', name: found.name, runs: 'onlyInEnvoy', differs: true },
    ...{ intended: null, acknowledged: null, running: viewFound(found, dump) },
  };
}

function runningState(
  held: Pick<ComparedResource, 'intended' | 'acknowledged' | 'running'>,
  dump: ConfigDump,
): RunningState {
  const { intended, acknowledged, running } = held;
  if (running === null) {
    return intended === null ? 'asIntended' : 'missing';
  }
  if (intended === null) {
    return isSame(acknowledged, running, dump) ? 'asAcknowledged' : 'onlyInEnvoy';
  }
  if (isSame(intended, running, dump)) {
    return running.isWarming ? 'warming' : 'asIntended';
  }
  return isSame(acknowledged, running, dump) ? 'asAcknowledged' : 'other';
}

function isSame(
  known: ConfigVersionView | null,
  running: ConfigVersionView,
  { isDelta }: ConfigDump,
): boolean {
  if (known === null) {
    return false;
  }
  if (isDelta && running.version !== '') {
    return known.version === running.version;
  }
  // Of a secret nothing is left to compare: it is there, and no version tells which one.
  return known.json === undefined || JSON.stringify(known.json) === JSON.stringify(running.json);
}

function viewKnown(type: ResourceType, held: ConfigVersionView | null): ConfigVersionView | null {
  return held === null || held.json === undefined
    ? held
    : { version: held.version, json: canonical(type, held.json) };
}

function viewFound({ type, version, json, isWarming }: RunningResource, { isDelta }: ConfigDump) {
  const shown = type === 'secret' ? undefined : canonical(type, json);
  return { version: isDelta ? version : '', json: shown, isWarming };
}

/** Envoy tells of endpoints what it knows of each host, so only where they are counts. */
function canonical(type: ResourceType, json: Plain): Plain {
  const made = canonicalJson(protoTypeOf[type], json);
  if (type !== 'endpoint') {
    return made;
  }
  const { cluster_name, endpoints = [] } = made as LoadAssignment;
  const places = endpoints.flatMap(({ lb_endpoints = [] }) =>
    lb_endpoints.map(({ endpoint }) => {
      const { address, port_value } = endpoint?.address?.socket_address ?? {};
      return `${address}:${port_value}`;
    }),
  );
  return { cluster_name, endpoints: places.sort() };
}

interface LoadAssignment {
  readonly cluster_name?: string;
  readonly endpoints?: readonly {
    readonly lb_endpoints?: readonly {
      readonly endpoint?: {
        readonly address?: {
          readonly socket_address?: { readonly address?: string; readonly port_value?: number };
        };
      };
    }[];
  }[];
}
