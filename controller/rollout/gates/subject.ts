/**
 * Whom a rollout's gates ask about, and the names in double braces that stand for it
 * (`mesh/gate-template.ts`). A name that stands for nothing leaves its gate unasked: an empty one would
 * turn a query into one about everybody.
 */
import { renderDuration } from '../../base/duration.js';
import { fillTemplate, type TemplateName } from '../../mesh/gate-template.js';
import type { Mesh } from '../../mesh/model.js';
import { servedStep } from '../mix.js';
import type { Rollout } from '../rollout.js';
import { judgedNodes } from '../scope.js';
import { gainingNodes, losingNodes } from '../targets.js';

/** Names of the nodes whose answers judge the rollout at its step, sorted. */
export function canaryNodes(rollout: Rollout, mesh: Mesh): readonly string[] {
  const isWeighted = servedStep(rollout)?.stage === 'weights';
  return isWeighted ? gainingNodes(rollout.group) : judgedNodes(rollout.group, mesh);
}

/** How values are written into a text; lists are of names of resources. */
export interface TemplateStyle {
  readonly list: (names: readonly string[]) => string;
  readonly text: (value: string) => string;
}

export type Filled = { readonly text: string } | { readonly unbound: TemplateName };

/** `template` with its names filled in, or the first name that stands for nothing. */
export function fillIn(
  template: string,
  style: TemplateStyle,
  about: { readonly rollout: Rollout; readonly mesh: Mesh; readonly windowMs?: number },
): Filled {
  let unbound: TemplateName | undefined;
  const text = fillTemplate(template, (name) => {
    const value = valueFor(name, about);
    if (value.length === 0) {
      unbound ??= name;
    }
    return typeof value === 'string' ? style.text(value) : style.list(value);
  });
  return unbound === undefined ? { text } : { unbound };
}

function valueFor(
  name: TemplateName,
  { rollout, mesh, windowMs = 0 }: Parameters<typeof fillIn>[2],
): string | readonly string[] {
  switch (name) {
    case 'canary':
      return canaryNodes(rollout, mesh);
    case 'stable':
      return losingNodes(rollout.group);
    case 'service':
      return servicesOf(canaryNodes(rollout, mesh), mesh);
    case 'mesh':
      return rollout.mesh;
    case 'name':
      return rollout.name;
    case 'rollout':
      return rollout.id;
    case 'revision':
      return rollout.revision.id;
    case 'step':
      return String(rollout.step + 1);
    case 'progress':
      return String(rollout.plan.steps[rollout.step]?.progress ?? 0);
    case 'window':
      return renderDuration(windowMs);
  }
}

/** Virtual services that hand requests to one of `nodes`, directly or by a router, sorted. */
function servicesOf(nodes: readonly string[], mesh: Mesh): readonly string[] {
  const routers = mesh.virtualRouters
    .filter(({ routes }) =>
      routes.some(({ targets }) => targets.some(({ virtualNode }) => nodes.includes(virtualNode))),
    )
    .map(({ name }) => name);
  return mesh.virtualServices
    .filter(({ provider }) =>
      provider?.kind === 'virtualRouter'
        ? routers.includes(provider.virtualRouter)
        : provider !== undefined && nodes.includes(provider.virtualNode),
    )
    .map(({ name }) => name);
}
