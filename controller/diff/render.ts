/**
 * Groups of changes as a person reads them before merging: one block a resource, `+` created, `~`
 * configured, `-` deleted, and for each changed field what it was and what it becomes. Weights are shown
 * as shares of the traffic, since that is what moves.
 */
import type { Route, WeightedTarget } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import type { Change, ChangeGroup, FieldChange, ResourceChange } from './change.js';

/** Terraform's signs. */
export const signOf: Readonly<Record<Change['action'], string>> = {
  created: '+',
  configured: '~',
  deleted: '-',
};

/** The lines of one group's changes, indented by two spaces. */
export function renderGroup(group: ChangeGroup): readonly string[] {
  return group.changes.flatMap((change) => {
    const { kind, name } = change.resource;
    const place =
      change.route === undefined ? `${kind} ${name}` : `${kind} ${name} route ${change.route}`;
    const head = `  ${signOf[change.action]} ${place} (${change.class})`;
    return [head, ...details(change, group).map((line) => `      ${line}`)];
  });
}

/** How one target's share of a route's traffic changes. */
export interface ShareChange {
  /** `reviews-v2:9080`. */
  readonly target: string;
  /** `25 %`, or `(none)`. */
  readonly before: string;
  readonly after: string;
}

/** The shares of the route that `change` of `group` lies in; empty where none of them changes. */
export function shareChanges(change: Change, group: ChangeGroup): readonly ShareChange[] {
  if (!change.fields.some(isOfTargets)) {
    return [];
  }
  const { kind, name } = change.resource;
  const resource = group.resources.find(({ ref }) => ref.kind === kind && ref.name === name);
  const applied = sharesOf(routeOf(resource?.before, change.route));
  const desired = sharesOf(routeOf(resource?.after, change.route));
  const targets = [...new Set([...applied.keys(), ...desired.keys()])].sort();
  const shares = targets.map((target) => ({
    target,
    before: applied.get(target) ?? '(none)',
    after: desired.get(target) ?? '(none)',
  }));
  return shares.some(({ before, after }) => before !== after) ? shares : [];
}

/** The fields of `change` that `shares` do not tell of. */
export function fieldsBeside(
  { fields }: Change,
  shares: readonly ShareChange[],
): readonly FieldChange[] {
  return shares.length === 0 ? fields : fields.filter((field) => !isOfTargets(field));
}

function isOfTargets({ path }: FieldChange): boolean {
  return path.startsWith('targets');
}

function details(change: Change, group: ChangeGroup): readonly string[] {
  const shares = shareChanges(change, group);
  return [
    ...fieldsBeside(change, shares).map(renderField),
    ...shares.map(({ target, before, after }) => `weight ${target}: ${before} → ${after}`),
  ];
}

function routeOf(resource: ResourceChange['before'] | undefined, name: string | undefined) {
  return resource?.kind === 'VirtualRouter'
    ? resource.routes.find((route) => route.name === name)
    : undefined;
}

/** `timeout.perRequestMs: 15000 → 30000`. */
export function renderField({ path, before, after }: FieldChange): string {
  return `${path}: ${renderValue(before)} → ${renderValue(after)}`;
}

export function renderValue(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

function sharesOf(route: Route | undefined): ReadonlyMap<string, string> {
  const targets: readonly WeightedTarget[] = route?.targets ?? [];
  const shares = normalizeWeights(targets.map((target) => target.weight));
  return new Map(
    targets.map((target, index) => [
      `${target.virtualNode}:${target.port}`,
      `${(shares[index] ?? 0) / 100} %`,
    ]),
  );
}
