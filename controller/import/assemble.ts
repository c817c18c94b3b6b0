/**
 * Definitions → resources: each in its mesh, with its name and labels, routes in their routers and gateway
 * routes at their gateways.
 */
import { canonicalJson } from '../base/hash.js';
import { type Assembly, type Placed, resource } from './assemble-resource.js';
import { router, routersThatAreMissing, routesOf } from './assemble-router.js';
import { type Definition, subjectOf } from './definition.js';
import { reportNames } from './identity.js';
import type { Names } from './names.js';
import { meshOf, type Surroundings } from './placement.js';
import type { Report } from './report.js';
import type { Resource } from './resource.js';
import { plainOf, textOf } from './source.js';

export function assemble(around: Surroundings, names: Names, report: Report): readonly Resource[] {
  const all = around.definitions.map((definition) => ({
    definition,
    mesh: meshOf(definition, around),
  }));
  const hasSeveralMeshes = new Set(all.map((one) => one.mesh)).size > 1;
  const assembly: Assembly = { around, names, report, hasSeveralMeshes };
  const placed = withoutTwins(all, assembly);
  const ofMesh = (kind: Definition['kind'], mesh: string) =>
    placed.filter((one) => one.definition.kind === kind && one.mesh === mesh);
  const resources: Resource[] = [];
  for (const one of placed) {
    const { kind } = one.definition;
    switch (kind) {
      case 'Route':
        break;
      case 'BackendGroup':
        reportGroup(one.definition, report);
        break;
      case 'VirtualRouter':
        resources.push(
          router(
            one,
            routesOf(
              one.definition.name,
              ofMesh('Route', one.mesh),
              ofMesh('VirtualRouter', one.mesh),
            ),
            assembly,
          ),
        );
        break;
      default:
        resources.push(resource(one, kind, assembly));
    }
  }
  return [...resources, ...routersThatAreMissing(placed, assembly)];
}

/** The first of those with one name; two that differ cannot both be meant. */
function withoutTwins(all: readonly Placed[], { report }: Assembly): readonly Placed[] {
  const first = new Map<string, Definition>();
  return all.filter(({ definition, mesh }) => {
    const parent = definition.kind === 'Route' ? (definition.parent?.text ?? '') : '';
    const key = canonicalJson([
      mesh,
      definition.kind,
      parent,
      definition.name,
      definition.kind === 'BackendGroup' ? (definition.namespace ?? '') : '',
    ]);
    const known = first.get(key);
    if (known === undefined) {
      first.set(key, definition);
      return true;
    }
    const isSame = canonicalJson(specOf(known)) === canonicalJson(specOf(definition));
    const where = `${known.place.file}:${known.place.line}`;
    const entry = {
      outcome: 'dropped',
      resource: subjectOf(definition),
      reason: `defined at ${where} too, ${isSame ? 'in the same words' : 'in other words; the first is kept'}`,
      isLoss: !isSame,
    } as const;
    report.add({ ...entry, place: definition.place, from: definition.specPath.slice(0, -1) });
    if (definition.spec !== undefined) {
      report.addLeaves(definition.spec, definition.specPath, entry);
    }
    reportNames(definition, entry, report);
    return false;
  });
}

function specOf({ spec }: Definition): unknown {
  return spec === undefined ? {} : plainOf(spec);
}

function reportGroup(definition: Definition, report: Report): void {
  const entry = {
    outcome: 'changed',
    resource: subjectOf(definition),
    reason: 'its services are backends of the nodes that name it',
  } as const;
  reportNames(definition, entry, report);
  if (definition.spec !== undefined && textOf(definition.spec) === undefined) {
    report.addLeaves(definition.spec, definition.specPath, entry);
  }
}
