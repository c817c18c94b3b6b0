/** Problems that only the comparison with what is served can find: HG07xx. */
import type { Problem } from '../base/problem.js';
import type { Mesh } from '../mesh/model.js';

export const loopProblemCodes = {
  HG0701: 'a mesh that is served is missing from the revision',
} as const;

/**
 * A revision that drops a whole mesh is taken for a mistake (an emptied folder, a wrong sub-path), since
 * obeying it would take every route from every proxy.
 */
export function findVanishedMeshes(
  served: Iterable<string>,
  meshes: readonly Mesh[],
): readonly Problem[] {
  const names = new Set(meshes.map((mesh) => mesh.name));
  return [...served]
    .filter((name) => !names.has(name))
    .sort()
    .map((name) => ({
      code: 'HG0701',
      severity: 'error',
      message:
        `mesh ${name} is served and this revision has no Mesh of that name; ` +
        'bring it back, or start the controller with a new state to give it up',
      file: '',
      line: 0,
      column: 0,
      resource: `Mesh ${name}`,
    }));
}
