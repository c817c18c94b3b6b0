/**
 * What a rollout must hold of requests that it tells apart: those that match see nothing but the canary,
 * copies go nowhere else, and a client that has come to the canary stays there.
 */
import type { Mesh, Route } from '../../controller/mesh/model.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';
import { servedMesh } from './served.js';
import { movingTargets } from './transitions.js';

/** Every so many of the 10,000 places that a client may have is looked at. */
const strideOfPlaces = 97;

function gainingNodes(rollout: Rollout): ReadonlySet<string> {
  const gaining = movingTargets(rollout).filter(({ applied, desired }) => desired > applied);
  return new Set(gaining.map(({ virtualNode }) => virtualNode));
}

/** What `mesh`, which is served, does with the requests of the routes that `rollout` moves. */
export function partProblems(rollout: Rollout, mesh: Mesh): readonly string[] {
  const gaining = gainingNodes(rollout);
  return routesOf(rollout, mesh).flatMap(({ route }) => {
    const strays = route.targets.filter(({ virtualNode, weight, copies = 0 }) => {
      const isTaken = copies > 0 || (route.part === 'match' && weight > 0);
      return isTaken && !gaining.has(virtualNode);
    });
    return strays.map(
      ({ virtualNode }) => `${rollout.id} gives ${virtualNode} requests that are the canary's`,
    );
  });
}

/** Clients that a step forwards takes away from the canary, one sentence each. */
export function clientProblems(from: Rollout, to: Rollout, applied: Mesh): readonly string[] {
  const isForward = (rollout: Rollout) =>
    !isEnded(rollout.phase) && rollout.phase !== 'RollingBack' && rollout.waveShare === 1;
  if (from.step === to.step || !isForward(from) || !isForward(to)) {
    return [];
  }
  const gaining = gainingNodes(to);
  const [before, after] = [from, to].map((rollout) =>
    routesOf(rollout, servedMesh(applied, [rollout], 'stranger')),
  );
  return (after ?? []).flatMap(({ router, route }) => {
    // An atomic rollout moves several routers, whose routes may have the same names.
    const previous = before?.find(
      (each) =>
        each.router === router &&
        each.route.name === route.name &&
        each.route.part === route.part &&
        each.route.drawnBy,
    )?.route;
    if (previous === undefined || route.drawnBy === undefined) {
      return [];
    }
    const [left, right] = [drawsOf(previous), drawsOf(route)];
    const lost = left.findIndex(
      (node, place) => node !== right[place] && (gaining.has(node) || right[place] === undefined),
    );
    return lost < 0
      ? []
      : [`${to.id} sends the client at ${lost} from ${left[lost]} to ${right[lost]}`];
  });
}

interface RouterRoute {
  readonly router: string;
  readonly route: Route;
}

function routesOf({ group }: Rollout, mesh: Mesh): readonly RouterRoute[] {
  const names = new Set(
    group.resources.flatMap(({ ref, before, after }) =>
      ref.kind === 'VirtualRouter' && before !== null && after !== null ? [ref.name] : [],
    ),
  );
  return mesh.virtualRouters
    .filter(({ name }) => names.has(name))
    .flatMap(({ name, routes }) => routes.map((route) => ({ router: name, route })));
}

/** Whom the places draw, as a proxy goes through the list of weights. */
function drawsOf({ targets }: Route): readonly string[] {
  let end = 0;
  return targets.flatMap(({ virtualNode, weight }) => {
    const looked = Math.ceil(end / strideOfPlaces);
    end += weight;
    return Array.from({ length: Math.ceil(end / strideOfPlaces) - looked }, () => virtualNode);
  });
}
