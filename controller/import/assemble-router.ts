/** Routers with all of their routes: those written in them, and those that were defined by themselves. */
import { present } from '../base/assert.js';
import { fieldOfSchema, itemsOf } from '../decode/schema-walk.js';
import type { FieldPath } from '../mesh/document.js';
import {
  type Assembly,
  conversionOf,
  type Placed,
  resource,
  specSchema,
} from './assemble-resource.js';
import { convert } from './convert.js';
import type { Definition } from './definition.js';
import { reportIdentity } from './identity.js';
import { emptyOut, fieldIn, type OutEntry, type OutItem, outOf, withField } from './output.js';
import { standInRouter } from './placement.js';
import type { Resource } from './resource.js';

/** `parent`: those that say so, and in a mesh of one router those that do not say. */
export function routesOf(
  name: string,
  routes: readonly Placed[],
  routers: readonly Placed[],
): readonly Definition[] {
  return routes
    .map((one) => one.definition)
    .filter(
      (route) => (route.parent?.text ?? (routers.length === 1 ? name : standInRouter)) === name,
    );
}

/** Its own routes first, in their order, and then those that were defined by themselves. */
export function router(
  placed: Placed,
  routes: readonly Definition[],
  assembly: Assembly,
): Resource {
  const base = resource(placed, 'VirtualRouter', assembly);
  const spec = base.spec?.kind === 'map' ? base.spec : emptyOut;
  const inline = fieldIn(spec, 'routes');
  const own = inline?.kind === 'list' ? inline.items : [];
  const items = [...own, ...routeItems(routes, own.length, base, assembly)];
  const isWritten = inline !== undefined || items.length > 0;
  return {
    ...base,
    spec: isWritten ? withField(spec, 'routes', { kind: 'list', items }) : spec,
  };
}

function routeItems(
  routes: readonly Definition[],
  offset: number,
  { name, mesh }: Pick<Resource, 'name' | 'mesh'>,
  assembly: Assembly,
): readonly OutItem[] {
  const schema = present(
    itemsOf(present(fieldOfSchema(specSchema('VirtualRouter'), 'routes'), 'routes').schema),
    'route',
  );
  return routes.map((route, index) => {
    const subject = `VirtualRouter ${name}`;
    const to: FieldPath = ['spec', 'routes', offset + index];
    reportIdentity(route, mesh, subject, assembly, [...to, 'name']);
    for (const label of route.labels) {
      const dropped = {
        outcome: 'dropped',
        resource: subject,
        reason: 'a route has no labels of its own here; its router has',
      } as const;
      const from = [...route.labelsPath, label.key];
      assembly.report.add({ ...dropped, place: label.keyPlace, from, value: label.key });
      assembly.report.addLeaves(label.node, from, { ...dropped, isLoss: true });
    }
    const at = { from: route.specPath, to };
    const made =
      route.spec === undefined
        ? undefined
        : convert(route.spec, schema, at, conversionOf(route, subject, assembly));
    const rest = made?.kind === 'map' ? made : emptyOut;
    const entries: readonly OutEntry[] = [
      { key: 'name', node: outOf(route.name) },
      ...rest.entries,
    ];
    return { node: { ...rest, entries }, before: route.comment };
  });
}

/** Routers that routes stand in and nobody defines: made up with what their routes say of them. */
export function routersThatAreMissing(
  placed: readonly Placed[],
  assembly: Assembly,
): readonly Resource[] {
  const routers = placed.filter((one) => one.definition.kind === 'VirtualRouter');
  const wanted = new Map<string, { mesh: string; name: string; routes: Definition[] }>();
  for (const { definition, mesh } of placed.filter((one) => one.definition.kind === 'Route')) {
    const inMesh = routers.filter((one) => one.mesh === mesh);
    const name =
      definition.parent?.text ??
      (inMesh.length === 1 ? inMesh[0]?.definition.name : standInRouter) ??
      standInRouter;
    if (!inMesh.some((one) => one.definition.name === name)) {
      const key = `${mesh}/${name}`;
      const group = wanted.get(key) ?? { mesh, name, routes: [] };
      group.routes.push(definition);
      wanted.set(key, group);
    }
  }
  return [...wanted.values()].map(({ mesh, name, routes }) => ({
    kind: 'VirtualRouter',
    name,
    mesh,
    labels: [],
    spec: {
      kind: 'map',
      entries: [
        {
          key: 'routes',
          node: { kind: 'list', items: routeItems(routes, 0, { name, mesh }, assembly) },
        },
      ],
    },
    place: (routes[0] as Definition).place,
    madeUp: `its routes are in the input, and no file defines VirtualRouter ${name}`,
  }));
}
