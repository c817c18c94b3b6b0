/**
 * What a difference means for traffic: one `Change` a resource, and one a route inside a virtual router.
 * A removed route is `config`, not `subtractive`, and so is a gateway route that comes or goes while its
 * gateway stays: requests go elsewhere from then on, which is what waves and gates are for. But for one
 * that comes and takes none from those that are there: it is `additive`.
 */
import { sameValue } from '../base/same-value.js';
import type { ResourceRef, Route, VirtualNode, VirtualRouter } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import type { Change, ChangeClass, Ends, FieldChange, ResourceChange } from './change.js';
import { diffFields } from './fields.js';
import { takesRequests } from './takes-requests.js';

/** The meaning of one resource's difference, beside all that changes with it; at least one change. */
export function classifyChange(
  change: ResourceChange,
  group: readonly ResourceChange[],
  ends: Ends,
): readonly Change[] {
  const { ref, before, after } = change;
  if (before === null) {
    const changeClass = movesRequests(change, group, ends) ? 'config' : 'additive';
    return [{ resource: ref, class: changeClass, action: 'created', fields: [] }];
  }
  if (after === null) {
    const changeClass = movesRequests(change, group, ends) ? 'config' : 'subtractive';
    return [{ resource: ref, class: changeClass, action: 'deleted', fields: [] }];
  }
  if (before.kind === 'VirtualRouter' && after.kind === 'VirtualRouter') {
    return classifyRouter(ref, before, after);
  }
  const fields = diffFields(before, after);
  return [{ resource: ref, class: classOfFields(change, fields), action: 'configured', fields }];
}

/** True for a gateway route that comes to a gateway, or leaves one, which takes requests before and after. */
function movesRequests(
  { before, after }: ResourceChange,
  group: readonly ResourceChange[],
  { applied, desired }: Ends,
): boolean {
  const route = after ?? before;
  if (route?.kind !== 'GatewayRoute') {
    return false;
  }
  const gateway = group.find(
    ({ ref }) => ref.kind === 'VirtualGateway' && ref.name === route.virtualGateway,
  );
  const staysThere = gateway === undefined || (gateway.before !== null && gateway.after !== null);
  const others = [...applied.gatewayRoutes, ...desired.gatewayRoutes];
  return staysThere && (before !== null || takesRequests(route, others));
}

/** The order in which classes weigh: a resource with several differences has the heaviest one's class. */
const weightOf: Readonly<Record<ChangeClass, number>> = {
  operational: 0,
  additive: 1,
  subtractive: 2,
  weighted: 3,
  config: 4,
};

function heaviest(classes: readonly ChangeClass[]): ChangeClass {
  return classes.reduce(
    (left, right) => (weightOf[right] > weightOf[left] ? right : left),
    'operational',
  );
}

function classOfFields(change: ResourceChange, fields: readonly FieldChange[]): ChangeClass {
  return heaviest(fields.map((field) => classOfField(change, field)));
}

/** Endpoint lists, access logs, labels and policies are operations, not releases: they apply at once. */
function classOfField(change: ResourceChange, field: FieldChange): ChangeClass {
  const { before, after } = change;
  if (before?.kind === 'RolloutPolicy' || field.path.startsWith('labels')) {
    return 'operational';
  }
  if (before?.kind !== 'VirtualNode' || after?.kind !== 'VirtualNode') {
    return 'config';
  }
  if (field.path.startsWith('accessLog')) {
    return 'operational';
  }
  if (field.path.startsWith('serviceDiscovery.endpoints')) {
    return 'operational';
  }
  if (field.path.startsWith('backends[')) {
    return classOfBackend(before, after, field.path);
  }
  return 'config';
}

function classOfBackend(before: VirtualNode, after: VirtualNode, path: string): ChangeClass {
  const name = path.slice('backends['.length, path.indexOf(']'));
  const had = before.backends.some((backend) => backend.virtualService === name);
  const has = after.backends.some((backend) => backend.virtualService === name);
  if (had && has) {
    return 'config';
  }
  return has ? 'additive' : 'subtractive';
}

function classifyRouter(
  ref: ResourceRef,
  before: VirtualRouter,
  after: VirtualRouter,
): readonly Change[] {
  const changes: Change[] = [];
  const own = diffFields({ ...before, routes: [] }, { ...after, routes: [] });
  if (own.length > 0) {
    const operational = own.every((field) => field.path.startsWith('labels'));
    changes.push({
      resource: ref,
      class: operational ? 'operational' : 'config',
      action: 'configured',
      fields: own,
    });
  }
  for (const name of routeNames(before, after)) {
    const change = classifyRoute(ref, before, after, name);
    if (change !== undefined) {
      changes.push(change);
    }
  }
  return changes;
}

function routeNames(before: VirtualRouter, after: VirtualRouter): readonly string[] {
  const names = [...before.routes, ...after.routes].map((route) => route.name);
  return [...new Set(names)].sort();
}

function classifyRoute(
  resource: ResourceRef,
  router: VirtualRouter,
  desired: VirtualRouter,
  name: string,
): Change | undefined {
  const before = router.routes.find((route) => route.name === name);
  const after = desired.routes.find((route) => route.name === name);
  if (before === undefined && after !== undefined) {
    // Tried after all that are there today, it only answers what nothing answered before.
    const rest = desired.routes.slice(desired.routes.indexOf(after) + 1);
    const isBehindAll = rest.every((next) => router.routes.every(({ name }) => name !== next.name));
    const changeClass = isBehindAll ? 'additive' : 'config';
    return { resource, route: name, class: changeClass, action: 'created', fields: [] };
  }
  if (before !== undefined && after === undefined) {
    return { resource, route: name, class: 'config', action: 'deleted', fields: [] };
  }
  const fields = diffFields(before, after);
  if (before === undefined || after === undefined || fields.length === 0) {
    return undefined;
  }
  const weighted = hasSameShares(before, after) ? 'operational' : 'weighted';
  return {
    resource,
    route: name,
    class: sameButForTargets(before, after) ? weighted : 'config',
    action: 'configured',
    fields,
  };
}

/** True where other weights mean the same: 1 and 1 are 50 and 50, and no request goes elsewhere. */
function hasSameShares(before: Route, after: Route): boolean {
  return sameValue(sharesOf(before), sharesOf(after));
}

function sharesOf({ targets }: Route): Readonly<Record<string, number>> {
  const shares = normalizeWeights(targets.map(({ weight }) => weight));
  return Object.fromEntries(
    targets.map(({ virtualNode, port }, index) => [`${virtualNode}:${port}`, shares[index] ?? 0]),
  );
}

/** True where the two routes differ in their targets and weights alone. */
export function sameButForTargets(before: Route, after: Route): boolean {
  return sameValue({ ...before, targets: [] }, { ...after, targets: [] });
}

/** True where weights of `after` differ from those of `before`, whatever else does. */
export function targetsDiffer(before: Route, after: Route): boolean {
  return !sameValue(before.targets, after.targets);
}
