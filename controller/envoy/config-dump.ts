/**
 * Envoy's own `/config_dump` → the resources that it runs (envoy.admin.v3.ConfigDump). Only what came by xDS
 * counts; what its bootstrap holds is not the controller's.
 */
import type { ResourceType } from './snapshot.js';

type Plain = Readonly<Record<string, unknown>>;

export interface ConfigDump {
  /** The id in the bootstrap's `node`; undefined where the dump does not hold the bootstrap. */
  readonly nodeId?: string;
  /** True where a version is that of the resource; false where it is that of the whole type (SotW). */
  readonly isDelta: boolean;
  /** Of these types the dump tells; endpoints are in it only where they were asked for. */
  readonly types: ReadonlySet<ResourceType>;
  readonly resources: readonly RunningResource[];
}

/** A resource as one Envoy has it. */
export interface RunningResource {
  readonly type: ResourceType;
  readonly name: string;
  /** Of endpoints Envoy keeps none: empty. */
  readonly version: string;
  /** Proto JSON in Envoy's spelling. Secrets are redacted by Envoy. */
  readonly json: Plain;
  /** True where it waits for something, and what it replaces serves, if anything. */
  readonly isWarming: boolean;
}

/** Where a section keeps its resources: the list, which part of an element, and what names it. */
interface Section {
  readonly type: ResourceType;
  readonly lists: readonly { readonly key: string; readonly isWarming: boolean }[];
  readonly resource: string;
  readonly name: string;
}

const sections: Readonly<Record<string, Section>> = {
  ClustersConfigDump: {
    type: 'cluster',
    lists: [
      { key: 'dynamic_active_clusters', isWarming: false },
      { key: 'dynamic_warming_clusters', isWarming: true },
    ],
    ...{ resource: 'cluster', name: 'name' },
  },
  EndpointsConfigDump: {
    type: 'endpoint',
    lists: [{ key: 'dynamic_endpoint_configs', isWarming: false }],
    ...{ resource: 'endpoint_config', name: 'cluster_name' },
  },
  RoutesConfigDump: {
    type: 'route',
    lists: [{ key: 'dynamic_route_configs', isWarming: false }],
    ...{ resource: 'route_config', name: 'name' },
  },
  SecretsConfigDump: {
    type: 'secret',
    lists: [
      { key: 'dynamic_active_secrets', isWarming: false },
      { key: 'dynamic_warming_secrets', isWarming: true },
    ],
    ...{ resource: 'secret', name: 'name' },
  },
};

/** Undefined where `dump` is no config dump. */
export function readConfigDump(dump: unknown): ConfigDump | undefined {
  const { configs } = plain(dump);
  if (!Array.isArray(configs)) {
    return undefined;
  }
  const types = new Set<ResourceType>();
  const resources: RunningResource[] = [];
  let bootstrap: Plain = {};
  for (const config of configs.map(plain)) {
    const kind = String(config['@type']).replace(/^.*\./, '');
    const section = sections[kind];
    if (kind === 'BootstrapConfigDump') {
      bootstrap = plain(config.bootstrap);
    } else if (kind === 'ListenersConfigDump') {
      types.add('listener');
      resources.push(...listeners(config));
    } else if (section !== undefined) {
      types.add(section.type);
      resources.push(...resourcesOf(config, section));
    }
  }
  const { id } = plain(bootstrap.node);
  const { api_type } = plain(plain(bootstrap.dynamic_resources).ads_config);
  return {
    nodeId: typeof id === 'string' ? id : undefined,
    isDelta: /DELTA/.test(String(api_type)),
    types,
    // What serves comes first, so that it is what is found.
    resources: withoutHosts(resources).sort(
      (left, right) => Number(left.isWarming) - Number(right.isWarming),
    ),
  };
}

/** Envoy lists the hosts of every cluster among the endpoints; only those of EDS clusters were sent. */
function withoutHosts(resources: readonly RunningResource[]): RunningResource[] {
  const others = resources.filter(({ type, json }) => type === 'cluster' && json.type !== 'EDS');
  const names = new Set(others.map(({ name }) => name));
  return resources.filter(({ type, name }) => type !== 'endpoint' || !names.has(name));
}

function resourcesOf(config: Plain, { type, lists, ...keys }: Section): RunningResource[] {
  return lists.flatMap(({ key, isWarming }) =>
    elements(config[key]).map((element) => {
      const json = plain(element[keys.resource]);
      // A secret's name stands beside it.
      const name = String(json[keys.name] ?? element[keys.name] ?? '');
      return { type, name, version: text(element.version_info), json, isWarming };
    }),
  );
}

/** Those that drain are on their way out, and are left out. */
function listeners(config: Plain): RunningResource[] {
  return elements(config.dynamic_listeners).flatMap(({ name, ...states }) =>
    (['active_state', 'warming_state'] as const).flatMap((key) => {
      const state = plain(states[key]);
      return state.listener === undefined
        ? []
        : [
            {
              type: 'listener' as const,
              name: text(name),
              version: text(state.version_info),
              json: plain(state.listener),
              isWarming: key === 'warming_state',
            },
          ];
    }),
  );
}

function elements(value: unknown): readonly Plain[] {
  return Array.isArray(value) ? value.map(plain) : [];
}

function plain(value: unknown): Plain {
  return typeof value === 'object' && value !== null ? (value as Plain) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
