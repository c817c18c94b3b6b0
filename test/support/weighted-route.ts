/** Routes of which nothing but the weights matters. */
import type { Route } from '../../controller/mesh/model.js';

/** A route for all requests, to nodes by their names. */
export function weightedRoute(shares: Readonly<Record<string, number>>): Route {
  return {
    name: 'main',
    priority: 1000,
    protocol: 'http',
    match: { headers: [], queryParameters: [] },
    targets: Object.entries(shares).map(([virtualNode, weight]) => ({
      virtualNode,
      port: 80,
      weight,
    })),
  };
}
