/** Meshes for tests from YAML as users write it, through the very decoder that the controller uses. */
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import type { Mesh } from '../../controller/mesh/model.js';

/** The one mesh that `yaml` describes. Fails where it has a problem, a warning too unless `mayWarn`. */
export function meshFromYaml(yaml: string, { mayWarn = false } = {}): Mesh {
  const files = [{ path: 'mesh.yaml', bytes: Buffer.from(yaml) }];
  const { meshes, problems } = loadMeshes({ files, problems: [] });
  const faults = problems.filter(({ severity }) => severity === 'error' || !mayWarn);
  assert.equal(faults.map(renderProblem), []);
  const [mesh] = meshes;
  assert.ok(mesh !== undefined && meshes.length === 1, `${meshes.length} meshes, expected one`);
  return mesh;
}
