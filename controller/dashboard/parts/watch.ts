/** The graph of one mesh, which the stream brings for as long as it is looked at. */
import { useLayoutEffect } from 'preact/hooks';
import type { MeshGraphView } from '../../api/mesh-view.ts';
import { graph, watchedMesh } from '../live.ts';

/** The graph of `mesh`; undefined until it has come, null where there is no such mesh. */
export function useGraph(mesh: string | undefined): MeshGraphView | null | undefined {
  // What `useEffect` of a page that goes cleans up, Preact may clean up after the next page's effect has
  // run: where that page is drawn twice within a frame. It would then wait for a graph nobody asks for.
  useLayoutEffect(() => {
    watchedMesh.value = mesh;
    return () => {
      watchedMesh.value = undefined;
      graph.value = undefined;
    };
  }, [mesh]);
  return graph.value;
}
