/** The mesh as a graph, with the traffic on it; what is chosen is shown beside it. The same as tables below. */
import { useEffect } from 'preact/hooks';
import type { EdgeView, MeshGraphView, VertexView } from '../../api/mesh-view.ts';
import { percent, plural } from '../format.ts';
import { edgeKey, layoutOf, type Place } from '../graph-layout.ts';
import { graph, status, watchedMesh } from '../live.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Wide } from '../parts/basics.tsx';
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
  useEffect(() => {
    watchedMesh.value = mesh;
    return () => {
      watchedMesh.value = undefined;
      graph.value = undefined;
    };
  }, [mesh]);
  if (mesh === undefined) {
    return <Empty>No commit has described a mesh yet.</Empty>;
  }
  const view = graph.value?.name === mesh ? graph.value : undefined;
  if (view === undefined) {
    return <Empty>{graph.value === null ? `There is no mesh ${mesh}.` : 'Being drawn…'}</Empty>;
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

function GraphPicture({ view, chosen }: { view: MeshGraphView; chosen: string | undefined }) {
  if (view.vertices.length === 0) {
    return <Empty>Nothing has that in its name.</Empty>;
  }
  const { width, height, vertices, edges } = layoutOf(view);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
    <section class="graph-scroll" tabIndex={0} aria-label="Graph of the mesh, scrollable">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        style={{ width: `${width}px`, minWidth: `${Math.min(width, 760)}px` }}
        class="graph"
      >
        <title>Mesh {view.name}</title>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerUnits="userSpaceOnUse"
            markerWidth="9"
            markerHeight="9"
            orient="auto"
          >
            <path d="M0,0 L8,4 L0,8 z" class="arrow" />
          </marker>
        </defs>
        {view.edges.map((edge) => {
          const place = edges.get(edgeKey(edge));
          return (
            place && (
              <path
                key={edgeKey(edge)}
                d={place.path}
                class={`edge ${toneOf(edge)}`}
                style={{ strokeWidth: widthOfEdge(edge) }}
                marker-end="url(#arrow)"
              />
            )
          );
        })}
        {view.edges.map((edge) => {
          const place = edges.get(edgeKey(edge));
          return place && <EdgeLabel key={edgeKey(edge)} edge={edge} x={place.x} y={place.y} />;
        })}
        {view.vertices.map((vertex) => {
          const place = vertices.get(vertex.id);
          return (
            place && (
              <Vertex
                key={vertex.id}
                mesh={view.name}
                vertex={vertex}
                place={place}
                isChosen={vertex.id === chosen}
              />
            )
          );
        })}
      </svg>
    </section>
  );
}

function toneOf({ traffic, weight, actual }: EdgeView): string {
  const isIdle = traffic === null && (weight === null || weight.served === 0) && !actual;
  if (isIdle) {
    return 'idle';
  }
  const success = traffic?.success ?? null;
  if (success === null) {
    return 'quiet';
  }
  return success >= 99 ? 'good' : success >= 95 ? 'warn' : 'bad';
}

/** Wider with more requests, by magnitude. */
function widthOfEdge({ traffic }: EdgeView): number {
  const rate = traffic?.requestsPerSecond ?? 0;
  return rate === 0 ? 1.25 : Math.min(6, 1.5 + Math.log10(1 + rate));
}

/** What is set above the line, what was measured below it. */
function EdgeLabel({ edge, x, y }: { edge: EdgeView; x: number; y: number }) {
  const set = settingOf(edge);
  const measured = measurementOf(edge);
  return (
    <>
      {set !== '' && (
        <text x={x} y={y - 7} class={`edge-label set ${toneOf(edge)}`}>
          {set}
        </text>
      )}
      {measured !== '' && (
        <text x={x} y={y + 16} class={`edge-label ${toneOf(edge)}`}>
          {measured}
        </text>
      )}
    </>
  );
}

function settingOf({ kind, weight, routes }: EdgeView): string {
  if (weight === null) {
    return kind === 'route' ? plural(routes.length, 'route') : '';
  }
  const { served, desired } = weight;
  return served === desired ? percent(served) : `${percent(served)} → ${percent(desired)}`;
}

function measurementOf({ kind, actual, traffic }: EdgeView): string {
  const parts = [
    ...(kind === 'route' && actual !== null ? [`${percent(actual)} actual`] : []),
    ...(kind !== 'provider' && traffic !== null ? [figures(traffic)] : []),
  ];
  return parts.join(' · ');
}

function figures(traffic: NonNullable<EdgeView['traffic']>): string {
  const { requestsPerSecond, success } = traffic;
  return `${requestsPerSecond}/s${success === null ? '' : ` · ${percent(success)} ok`}`;
}

const signs: Readonly<Record<VertexView['kind'], string>> = {
  VirtualGateway: 'gateway',
  VirtualService: 'service',
  VirtualRouter: 'router',
  VirtualNode: 'node',
};

function Vertex(props: { mesh: string; vertex: VertexView; place: Place; isChosen: boolean }) {
  const { mesh, vertex, place, isChosen } = props;
  const { x, y, width, height } = place;
  const left = x - width / 2;
  const top = y - height / 2;
  const moving = vertex.rollouts.length > 0;
  return (
    <a
      href={pathOf('mesh', mesh, vertex.kind, vertex.name)}
      class={`vertex ${vertex.kind} ${vertex.change} ${isChosen ? 'chosen' : ''} ${moving ? 'moving' : ''}`}
      aria-current={isChosen ? 'true' : undefined}
    >
      <title>{describe(vertex)}</title>
      <rect x={left} y={top} width={width} height={height} rx={8} />
      <rect x={left} y={top} width={4} height={height} rx={2} class="stripe" />
      <text x={left + 16} y={top + 18} class="vertex-kind">
        {signs[vertex.kind]}
        {moving ? ' · rolling out' : vertex.change === 'none' ? '' : ` · ${vertex.change}`}
      </text>
      <text x={left + 16} y={top + 38} class="vertex-name">
        {shorten(vertex.name, width)}
      </text>
      {vertex.proxies !== null && <ProxyDots vertex={vertex} x={left + width - 14} y={top + 14} />}
    </a>
  );
}

function shorten(name: string, width: number): string {
  const characters = Math.floor((width - 28) / 8.2);
  return name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;
}

/** One dot for the worst of its proxies, and how many there are. */
function ProxyDots({ vertex, x, y }: { vertex: VertexView; x: number; y: number }) {
  const { synced, stale, rejected, notSent } = vertex.proxies ?? noProxies;
  const count = synced + stale + rejected + notSent;
  const tone = rejected > 0 ? 'bad' : stale + notSent > 0 ? 'busy' : count > 0 ? 'good' : 'none';
  return (
    <g class={`dot ${tone}`}>
      <circle cx={x} cy={y} r={4.5} />
      {count > 1 && (
        <text x={x - 9} y={y + 4}>
          {count}
        </text>
      )}
    </g>
  );
}

const noProxies = { synced: 0, stale: 0, rejected: 0, notSent: 0 };

function describe(vertex: VertexView): string {
  const parts = [`${signs[vertex.kind]} ${vertex.name}`];
  if (vertex.change !== 'none') {
    parts.push(vertex.change);
  }
  if (vertex.proxies !== null) {
    parts.push(proxiesText(vertex));
  }
  if (vertex.traffic !== null) {
    parts.push(figures(vertex.traffic));
  }
  return parts.join(', ');
}

function proxiesText({ proxies }: VertexView): string {
  const { synced, stale, rejected, notSent } = proxies ?? noProxies;
  const parts = [
    ...(synced > 0 ? [`${synced} synced`] : []),
    ...(stale > 0 ? [`${stale} stale`] : []),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
  ];
  return parts.length === 0 ? 'no proxy' : parts.join(', ');
}

function Legend() {
  return (
    <p class="legend small muted">
      <span class="key good">99 % and more answered well</span>{' '}
      <span class="key warn">95 % and more</span> <span class="key bad">less</span>{' '}
      <span class="key calm">no requests</span> <span>● state of its proxies</span>
    </p>
  );
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
