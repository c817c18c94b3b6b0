/** The mesh as a graph, with the traffic on it; what is chosen is shown beside it. The same as tables below. */
import type { MeshGraphView, VertexView } from '../../api/mesh-view.ts';
import { plural } from '../../base/plural.ts';
import { percent } from '../format.ts';
import { edgeKey } from '../graph-layout.ts';
import { status } from '../live.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Wide } from '../parts/basics.tsx';
import { figures, GraphPicture, Legend, proxiesText, signs } from '../parts/graph.tsx';
import { useGraph } from '../parts/watch.ts';
import { navigate, pathOf, query, setQuery } from '../router.ts';
import { ResourcePanel } from './resource-panel.tsx';

export interface MeshPageProps {
  /** Undefined: the first one. */
  readonly mesh?: string;
  readonly kind?: string;
  readonly name?: string;
}

/** More than anybody reads at once; then the part around what is searched or on its way is shown. */
const verticesMax = 120;

export function MeshPage(props: MeshPageProps) {
  const names = status.value?.meshes.map(({ name }) => name) ?? [];
  const mesh = props.mesh ?? names[0];
  const graph = useGraph(mesh);
  if (mesh === undefined) {
    return <Empty>No commit has described a mesh yet.</Empty>;
  }
  const view = graph?.name === mesh ? graph : undefined;
  if (view === undefined) {
    return <Empty>{graph === null ? `There is no mesh ${mesh}.` : 'Being drawn…'}</Empty>;
  }
  const search = query.value.get('find') ?? '';
  const part = partOf(view, search);
  const chosen = props.kind && props.name ? `${mesh}/${props.kind}/${props.name}` : undefined;
  return (
    <>
      <header class="page-head row-head">
        <h1>Mesh {mesh}</h1>
        {names.length > 1 && (
          <select
            aria-label="Mesh"
            value={mesh}
            onChange={(event) => navigate(pathOf('mesh', event.currentTarget.value))}
          >
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <input
          type="search"
          aria-label="Find a resource"
          placeholder="Find a resource"
          value={search}
          onInput={(event) => setQuery('find', event.currentTarget.value)}
        />
        <span class="muted small spread">
          {part.vertices.length < view.vertices.length
            ? `${part.vertices.length} of ${plural(view.vertices.length, 'resource')}`
            : plural(view.vertices.length, 'resource')}
        </span>
      </header>
      <div class={chosen === undefined ? '' : 'with-panel'}>
        <div class="card graph-card">
          <GraphPicture view={part} chosen={chosen} />
          <Legend />
        </div>
        {props.kind !== undefined && props.name !== undefined && (
          <ResourcePanel mesh={mesh} kind={props.kind} name={props.name} />
        )}
      </div>
      <Tables view={part} />
    </>
  );
}

/** What is searched for, or moves, and what is next to it; everything where that is little enough. */
function partOf(view: MeshGraphView, search: string): MeshGraphView {
  const words = search.trim().toLowerCase();
  if (words === '' && view.vertices.length <= verticesMax) {
    return view;
  }
  const isWanted = (vertex: VertexView) =>
    words === '' ? vertex.rollouts.length > 0 : vertex.name.toLowerCase().includes(words);
  const wanted = new Set(view.vertices.filter(isWanted).map(({ id }) => id));
  const near = new Set(wanted);
  for (const { from, to } of view.edges) {
    if (wanted.has(from) || wanted.has(to)) {
      near.add(from).add(to);
    }
  }
  const shown =
    near.size > 0 ? near : new Set(view.vertices.slice(0, verticesMax).map(({ id }) => id));
  const ids = words !== '' ? near : shown;
  return {
    name: view.name,
    vertices: view.vertices.filter(({ id }) => ids.has(id)),
    edges: view.edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
  };
}

function Tables({ view }: { view: MeshGraphView }) {
  const nameOf = (id: string) => id.split('/').slice(1).join(' ');
  return (
    <details class="card">
      <summary>The same as tables</summary>
      <Wide label="Table of tables">
        <table class="dense">
          <caption>Resources</caption>
          <thead>
            <tr>
              <th scope="col">Resource</th>
              <th scope="col">Change</th>
              <th scope="col">Proxies</th>
              <th scope="col">Requests</th>
            </tr>
          </thead>
          <tbody>
            {view.vertices.map((vertex) => (
              <tr key={vertex.id}>
                <th scope="row">
                  <a href={pathOf('mesh', view.name, vertex.kind, vertex.name)}>
                    {signs[vertex.kind]} {vertex.name}
                  </a>
                </th>
                <td>
                  {vertex.change === 'none' ? '' : <Badge tone="busy">{vertex.change}</Badge>}
                </td>
                <td>{vertex.proxies === null ? '' : proxiesText(vertex)}</td>
                <td>{vertex.traffic === null ? '' : figures(vertex.traffic)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <table class="dense">
          <caption>Ways between them</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col" class="number">
                Set
              </th>
              <th scope="col" class="number">
                Actual
              </th>
              <th scope="col">Requests</th>
            </tr>
          </thead>
          <tbody>
            {view.edges.map((edge) => (
              <tr key={edgeKey(edge)}>
                <td>{nameOf(edge.from)}</td>
                <td>{nameOf(edge.to)}</td>
                <td class="number">{edge.weight === null ? '' : percent(edge.weight.served)}</td>
                <td class="number">{edge.actual === null ? '' : percent(edge.actual)}</td>
                <td>{edge.traffic === null ? '' : figures(edge.traffic)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </details>
  );
}
