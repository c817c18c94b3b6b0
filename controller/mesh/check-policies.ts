/**
 * What rollout policies select. A name goes before a label and a label before the default, so
 * policies contradict one another only where two select the same resource in the same way.
 */
import type { MeshDocument } from './document.js';
import type { ResourceKind, RolloutPolicy } from './model.js';
import { renderOrigin } from './origins.js';
import { declared, lookUp, type Scope } from './scope.js';
import { hasLabels } from './selects.js';

const namedKinds = [
  ['virtualRouters', 'VirtualRouter'],
  ['virtualNodes', 'VirtualNode'],
  ['virtualGateways', 'VirtualGateway'],
] as const satisfies readonly (readonly [keyof RolloutPolicy['selector'], ResourceKind])[];

export function checkPolicies(scope: Scope): void {
  const policies = declared(scope, 'RolloutPolicy');
  const named = new Map<string, MeshDocument>();
  const labelled = new Map<string, MeshDocument>();
  let fallback: MeshDocument | undefined;
  for (const [document, policy] of policies) {
    if (policy.selector.isDefault && fallback !== undefined) {
      const text =
        `it has no selector, and neither has RolloutPolicy ${at(fallback)}; only one policy is ` +
        'for everything else';
      scope.report(document, 'HG0604', ['spec'], text);
    }
    fallback ??= policy.selector.isDefault ? document : undefined;
    checkNames(scope, document, policy, named);
    checkLabels(scope, document, policy, labelled);
    for (const [index, name] of policy.after.entries()) {
      lookUp(scope, document, ['spec', 'after', index], { kind: 'RolloutPolicy', name });
    }
  }
  checkOrder(scope, policies);
}

/** A policy that is after itself would start nothing; each circle is reported once, at its first policy. */
function checkOrder(
  scope: Scope,
  policies: readonly (readonly [MeshDocument, RolloutPolicy])[],
): void {
  const after = new Map(policies.map(([, policy]) => [policy.name, policy.after]));
  const reported = new Set<string>();
  for (const [document, { name }] of policies) {
    const circle = reported.has(name) ? undefined : circleFrom(name, after);
    if (circle !== undefined) {
      const text =
        `it is after itself: ${[...circle, name].join(' is after ')}; take one of the names out ` +
        'of after';
      scope.report(document, 'HG0620', ['spec', 'after'], text, { found: circle.join(', ') });
      for (const member of circle) {
        reported.add(member);
      }
    }
  }
}

/** The shortest way from `name` over `after` back to it, `name` first; undefined: there is none. */
function circleFrom(
  name: string,
  after: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const queue: (readonly string[])[] = [[name]];
  for (let way = queue.shift(); way !== undefined; way = queue.shift()) {
    for (const next of after.get(way.at(-1) ?? '') ?? []) {
      if (next === name) {
        return way;
      }
      if (!seen.has(next)) {
        seen.add(next);
        queue.push([...way, next]);
      }
    }
  }
  return undefined;
}

function checkNames(
  scope: Scope,
  document: MeshDocument,
  { selector }: RolloutPolicy,
  named: Map<string, MeshDocument>,
): void {
  for (const [field, kind] of namedKinds) {
    for (const [index, name] of selector[field].entries()) {
      const path = ['spec', 'selector', field, index];
      lookUp(scope, document, path, { kind, name });
      const other = named.get(`${kind}/${name}`);
      if (other !== undefined) {
        const text = `${kind} ${name} is also named by RolloutPolicy ${at(other)}; leave it to one`;
        scope.report(document, 'HG0605', path, text, { found: name });
      }
      named.set(`${kind}/${name}`, other ?? document);
    }
  }
}

function checkLabels(
  scope: Scope,
  document: MeshDocument,
  { selector }: RolloutPolicy,
  labelled: Map<string, MeshDocument>,
): void {
  if (Object.keys(selector.matchLabels).length === 0) {
    return;
  }
  const path = ['spec', 'selector', 'matchLabels'];
  const selected = namedKinds
    .flatMap(([, kind]) => declared(scope, kind))
    .filter(([, resource]) => hasLabels(resource.labels, selector.matchLabels));
  if (selected.length === 0) {
    const text = 'no virtual router, node or gateway has all the labels that it selects by';
    scope.report(document, 'HG0607', path, text);
  }
  for (const [resource] of selected) {
    const key = `${resource.kind}/${resource.name}`;
    const other = labelled.get(key);
    if (other !== undefined) {
      const text =
        `${resource.kind} ${resource.name} is also selected by the labels of RolloutPolicy ` +
        `${at(other)}; leave it to one of them`;
      scope.report(document, 'HG0605', path, text, { found: resource.name });
    }
    labelled.set(key, other ?? document);
  }
}

/** `careful (policies.yaml:3)`. */
function at({ name, origin }: MeshDocument): string {
  return `${name} (${renderOrigin(origin)})`;
}
