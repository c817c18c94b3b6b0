/** The picture of a mesh: what there is, what leads where, and the traffic on it. */
import type { EdgeView, MeshGraphView, VertexView } from '../../api/mesh-view.ts';
import { plural } from '../../base/plural.ts';
import { percent } from '../format.ts';
import { edgeKey, layoutOf, type Place } from '../graph-layout.ts';
import { heldChangeOf } from '../live.ts';
import { pathOf } from '../router.ts';
import { Empty } from './basics.tsx';

export function GraphPicture({ view, chosen }: { view: MeshGraphView; chosen?: string }) {
  if (view.vertices.length === 0) {
    return <Empty>Nothing has that in its name.</Empty>;
  }
  const { width, height, vertices, edges } = layoutOf(view);
  const moving = new Set(
    view.vertices.filter(({ rollouts }) => rollouts.length > 0).map(({ id }) => id),
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
    <section class="graph-scroll" tabIndex={0} aria-label="Graph of the mesh, scrollable">
      <p class="small muted only-narrow">Wider than this screen: it scrolls sideways.</p>
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
          return (
            place && (
              <EdgeLabel
                key={edgeKey(edge)}
                edge={edge}
                isMoving={moving.has(edge.from)}
                {...{ x: place.x, y: place.y }}
              />
            )
          );
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
function EdgeLabel(props: { edge: EdgeView; isMoving: boolean; x: number; y: number }) {
  const { edge, isMoving, x, y } = props;
  const set = settingOf(edge, isMoving);
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

function settingOf({ kind, weight, routes }: EdgeView, isMoving: boolean): string {
  if (weight === null) {
    return kind === 'route' ? plural(routes.length, 'route') : '';
  }
  const { served, desired } = weight;
  if (served === desired) {
    return percent(served);
  }
  // An arrow where nothing moves would tell of a rollout that is not there.
  return `${percent(served)}${isMoving ? ' → ' : '; Git asks for '}${percent(desired)}`;
}

function measurementOf({ kind, actual, traffic }: EdgeView): string {
  const parts = [
    ...(kind === 'route' && actual !== null ? [`${percent(actual)} actual`] : []),
    ...(kind !== 'provider' && traffic !== null ? [figures(traffic)] : []),
  ];
  return parts.join(' · ');
}

/** `12.5/s · 99.9 % ok` */
export function figures(traffic: NonNullable<EdgeView['traffic']>): string {
  const { requestsPerSecond, success } = traffic;
  return `${requestsPerSecond}/s${success === null ? '' : ` · ${percent(success)} ok`}`;
}

export const signs: Readonly<Record<VertexView['kind'], string>> = {
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
        {stateText(vertex, mesh)}
      </text>
      <text x={left + 16} y={top + 38} class="vertex-name">
        {shorten(vertex.name, width)}
      </text>
      {vertex.proxies !== null && <ProxyDots vertex={vertex} x={left + width - 14} y={top + 14} />}
    </a>
  );
}

/** After its kind: what happens to it, where something does. */
function stateText({ rollouts, change, kind, name }: VertexView, mesh: string): string {
  if (rollouts.length > 0) {
    return ' · rolling out';
  }
  if (change === 'none') {
    return '';
  }
  const isHeld = heldChangeOf({ mesh, kind, name }) !== undefined;
  return isHeld ? ' · held' : ` · ${change}`;
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

export function proxiesText({ proxies }: VertexView): string {
  const { synced, stale, rejected, notSent } = proxies ?? noProxies;
  const parts = [
    ...(synced > 0 ? [`${synced} synced`] : []),
    ...(stale > 0 ? [`${stale} stale`] : []),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
  ];
  return parts.length === 0 ? 'no proxy' : parts.join(', ');
}

export function Legend() {
  return (
    <p class="legend small muted">
      <span class="key good">99 % or more of all tries answered well</span>
      <span class="key warn">95 % or more</span>
      <span class="key bad">less</span>
      <span class="key calm">no requests</span>
      <span>● state of its proxies</span>
      <span>10 % → 100 %: served now, and asked for in the end</span>
    </p>
  );
}
