/**
 * Values that templates leave open: parameters of CloudFormation, and the `${VAR}` that `envsubst` fills
 * into Kubernetes manifests. They come from `--parameter NAME=VALUE`. For one that nobody gave, its own
 * name stands in, cut to what a host name can hold, so that the rest of the mesh can be looked at and
 * checked; each is said in the report.
 */
import { FaultError, type Place, type SourceNode } from './source.js';

export interface Values {
  /** By name: a parameter, `AWS::StackName`, `Resource.Attribute`, an export, or `VAR`. */
  readonly given: ReadonlyMap<string, string>;
  /** Those of `given` that were asked for. */
  readonly used: Set<string>;
  readonly missing: Map<string, Missing>;
}

export interface Missing {
  readonly name: string;
  readonly standIn: string;
  /** Of the first use. */
  readonly place: Place;
  uses: number;
}

export interface Found {
  readonly text: string;
  /** Names of the values that it lacks and that something stands in for. */
  readonly standIns: readonly string[];
}

export function createValues(given: ReadonlyMap<string, string>): Values {
  return { given, used: new Set(), missing: new Map() };
}

export function givenValue(values: Values, name: string): string | undefined {
  const value = values.given.get(name);
  if (value !== undefined) {
    values.used.add(name);
  }
  return value;
}

/** What was given for `name`, else a stand-in: `standIn`, or what its name makes. */
export function valueOr(values: Values, name: string, place: Place, standIn?: string): Found {
  const value = givenValue(values, name);
  if (value !== undefined) {
    return { text: value, standIns: [] };
  }
  const known = values.missing.get(name);
  const missing = known ?? { name, standIn: standIn ?? standInFor(name), place, uses: 0 };
  missing.uses += 1;
  values.missing.set(name, missing);
  return { text: missing.standIn, standIns: [name] };
}

/** `AWS::StackName` → `StackName`, `${Project}:mesh` → `Project-mesh`: fits a name and a host name. */
function standInFor(name: string): string {
  const words = name.replace(/^AWS::/, '').split(/[^A-Za-z0-9_]+/);
  const standIn = words.filter((word) => word !== '').join('-');
  return standIn.replace(/^_+/, '').slice(0, 60) || 'value';
}

const placeholder = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * `node` with each `${VAR}` in its texts filled in.
 * @throws FaultError at a tag, which only CloudFormation has.
 */
export function fillPlaceholders(node: SourceNode, values: Values): SourceNode {
  if (node.tag !== undefined) {
    throw new FaultError(
      node.place,
      `the tag ${node.tag.slice(0, 60)} has no meaning outside a template`,
    );
  }
  switch (node.kind) {
    case 'list':
      return {
        ...node,
        items: node.items.map((item) => ({ ...item, node: fillPlaceholders(item.node, values) })),
      };
    case 'map':
      return {
        ...node,
        entries: node.entries.map((entry) => ({
          ...entry,
          node: fillPlaceholders(entry.node, values),
        })),
      };
    case 'scalar': {
      if (typeof node.value !== 'string' || !node.value.includes('${')) {
        return node;
      }
      const standIns: string[] = [];
      const text = node.value.replace(placeholder, (_, name: string) => {
        const found = valueOr(values, name, node.place);
        standIns.push(...found.standIns);
        return found.text;
      });
      return text === node.value
        ? node
        : { ...node, value: text, text, resolved: { expression: node.value, standIns } };
    }
  }
}
