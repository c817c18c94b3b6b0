/**
 * Fields that only AWS or Kubernetes could give a meaning, and what takes their place. A rule that answers
 * nothing leaves the field to the schema.
 */
import type { FieldPath } from '../mesh/document.js';
import { type Conversion, drop, resolution, type Spot } from './conversion.js';
import { patternOf } from './notes.js';
import { emptyOut, type OutEntry, outOf } from './output.js';
import { childOf, leavesOf, type SourceNode, textOf } from './source.js';

export type Rule = (
  node: SourceNode,
  spot: Spot,
  conversion: Conversion,
) => OutEntry | 'gone' | undefined;

interface RuleEntry {
  readonly field: RegExp;
  readonly rule: Rule;
}

const entries: readonly RuleEntry[] = [
  { field: /\.certificate\.acm$/, rule: certificateOfAws },
  { field: /\.trust\.acm$/, rule: authoritiesOfAws },
  { field: /^spec\.serviceDiscovery\.awsCloudMap$/, rule: cloudMapByAttributes },
  { field: /^spec\.backendGroups$/, rule: backendGroups },
  { field: /^spec\.awsName$/, rule: ownName },
  { field: /^spec\.meshRef$/, rule: leftOut('the resource is in the mesh that this names') },
  {
    field: /^spec\.virtualGatewayRef$/,
    rule: leftOut('the controller wrote it; the gateway is spec.virtualGatewayRef here too'),
  },
  {
    field: /^spec\.podSelector$/,
    rule: leftOut('an Envoy keeps its node id, which says whose it is; no selector is needed'),
  },
  {
    field: /^spec\.(?:namespaceSelector|gatewayRouteSelector)$/,
    rule: leftOut('what it selects names its mesh or gateway here'),
  },
];

/** The rule of the field at `to`. */
export function ruleFor(to: FieldPath): Rule | undefined {
  const field = patternOf(to);
  return entries.find((entry) => entry.field.test(field))?.rule;
}

/** Told of where the name is, unless it is spelt as no reader of names knows it. */
function ownName(node: SourceNode, spot: Spot, conversion: Conversion): 'gone' {
  if (spot.from.at(-1) !== 'awsName' || textOf(node) === undefined) {
    drop(node, spot, conversion, 'it is no awsName with a text, so it names nothing', true);
  }
  return 'gone';
}

function leftOut(reason: string): Rule {
  return (node, spot, conversion) => {
    drop(node, spot, conversion, reason);
    return 'gone';
  };
}

/** Keeps TLS on, with the certificate from a place that is left to people. */
function certificateOfAws(node: SourceNode, spot: Spot, conversion: Conversion): OutEntry {
  const secretName = `certificate-${lastPart(leavesOf(node))}`;
  return secret(node, spot, conversion, {
    secretName,
    reason:
      `a key of AWS Certificate Manager cannot leave AWS: put a certificate and its key into the ` +
      `folder of secrets as ${secretName}, or write file`,
  });
}

function authoritiesOfAws(node: SourceNode, spot: Spot, conversion: Conversion): OutEntry {
  const secretName = `authorities-${lastPart(leavesOf(node))}`;
  return secret(node, spot, conversion, {
    secretName,
    reason:
      `an authority of AWS is not reached from here: put its certificate into the folder of ` +
      `secrets as ${secretName}, or write file`,
  });
}

function secret(
  node: SourceNode,
  spot: Spot,
  { report, subject }: Conversion,
  made: { readonly secretName: string; readonly reason: string },
): OutEntry {
  const to = [...spot.to.slice(0, -1), 'sds', 'secretName'];
  for (const leaf of leavesOf(node)) {
    const { reason } = resolution(leaf.node);
    report.addLeaves(leaf.node, [...spot.from, ...leaf.path], {
      outcome: 'changed',
      resource: subject,
      to,
      reason: [made.reason, reason].filter((part) => part !== '').join('; '),
      isLoss: true,
    });
  }
  return { key: 'sds', node: outOf({ secretName: made.secretName }) };
}

/** The ids at the ends of ARNs, one after the other. */
function lastPart(leaves: readonly { readonly node: SourceNode }[]): string {
  const ids = leaves.map(({ node }) => (textOf(node) ?? '').split(/[/:]/).at(-1) ?? '');
  const id = ids.join('-').replace(/[^A-Za-z0-9._-]+/g, '-');
  return id.slice(0, 200) || 'of-aws';
}

/**
 * Nodes that share a Cloud Map service and differ in attributes alone: by DNS each of them would have the
 * instances of all, and weights would mean nothing.
 */
function cloudMapByAttributes(
  node: SourceNode,
  spot: Spot,
  { report, subject, names }: Conversion,
): OutEntry | undefined {
  const attributes = childOf(node, 'attributes') ?? childOf(node, 'Attributes');
  const users = names.cloudMapUsers(node);
  if (attributes?.kind !== 'list' || attributes.items.length === 0 || users < 2) {
    return undefined;
  }
  for (const [index, leaf] of leavesOf(node).entries()) {
    report.addLeaves(leaf.node, [...spot.from, ...leaf.path], {
      outcome: 'changed',
      resource: subject,
      to: [...spot.to.slice(0, -1), 'announced'],
      reason:
        `${users} nodes share this Cloud Map service and differ in attributes, by which DNS tells ` +
        `nobody apart; each Envoy of the node that is connected to Headgate is an endpoint instead: ` +
        `move these Envoys before those that call them`,
      // One line of things to look at, not one for each part.
      isLoss: index === 0,
    });
  }
  return { key: 'announced', node: emptyOut };
}

/** The services themselves are added to the backends. */
function backendGroups(node: SourceNode, spot: Spot, conversion: Conversion): 'gone' {
  const { names, definition, report, subject } = conversion;
  if (node.kind !== 'list' || node.items.length === 0) {
    drop(node, spot, conversion, 'it names no backend group');
    return 'gone';
  }
  for (const [index, item] of node.items.entries()) {
    const services = names.backendGroup(item.node, definition);
    const isKnown = services !== undefined;
    report.addLeaves(item.node, [...spot.from, index], {
      outcome: isKnown ? 'changed' : 'dropped',
      resource: subject,
      to: isKnown ? ['spec', 'backends'] : undefined,
      reason: isKnown
        ? `its services are backends: ${services.join(', ') || 'none'}`
        : 'no such backend group is among the input',
      isLoss: !isKnown,
    });
  }
  return 'gone';
}
