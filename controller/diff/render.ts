/**
 * Groups of changes as a person reads them before merging: one block a resource, `+` created, `~`
 * configured, `-` deleted, and for each changed field what it was and what it becomes. Weights are shown
 * as shares of the traffic, since that is what moves.
 */
import type { Route, WeightedTarget } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import type { Change, ChangeGroup, FieldChange, ResourceChange } from './change.js';

const signOf: Readonly<Record<Change['action'], string>> = {
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
    const resource = group.resources.find(
      ({ ref }) => ref.kind === change.resource.kind && ref.name === change.resource.name,
    );
    const head = `  ${signOf[change.action]} ${place} (${change.class})`;
    return [head, ...details(change, resource).map((line) => `      ${line}`)];
  });
}

/** `2 to create, 1 to change, 0 to delete`: whole resources. */
export function renderCounts(groups: readonly ChangeGroup[]): string {
  const resources = groups.flatMap((group) => group.resources);
  const created = resources.filter(({ before }) => before === null).length;
  const deleted = resources.filter(({ after }) => after === null).length;
  const changed = resources.length - created - deleted;
  return `${created} to create, ${changed} to change, ${deleted} to delete`;
}

function details(change: Change, resource: ResourceChange | undefined): readonly string[] {
  const before = routeOf(resource?.before, change.route);
  const after = routeOf(resource?.after, change.route);
  const isOfTargets = (field: FieldChange) => field.path.startsWith('targets');
  const others = change.fields.filter((field) => !isOfTargets(field)).map(renderField);
  return change.fields.some(isOfTargets) ? [...others, ...renderShares(before, after)] : others;
}

function routeOf(resource: ResourceChange['before'] | undefined, name: string | undefined) {
  return resource?.kind === 'VirtualRouter'
    ? resource.routes.find((route) => route.name === name)
    : undefined;
}

function renderField({ path, before, after }: FieldChange): string {
  return `${path}: ${renderValue(before)} → ${renderValue(after)}`;
}

function renderValue(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

/** `weight reviews-v2: 0 % → 100 %`, one line a target, sorted as the routes are. */
function renderShares(before: Route | undefined, after: Route | undefined): readonly string[] {
  const applied = sharesOf(before);
  const desired = sharesOf(after);
  const keys = [...new Set([...applied.keys(), ...desired.keys()])].sort();
  return keys.map(
    (key) => `weight ${key}: ${applied.get(key) ?? '(none)'} → ${desired.get(key) ?? '(none)'}`,
  );
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
