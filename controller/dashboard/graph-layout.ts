/** Places for a mesh's vertices and paths for its edges, by dagre. Depends on what is there, not on figures. */
import { Graph, layout } from '@dagrejs/dagre';
import type { MeshGraphView, VertexView } from '../api/mesh-view.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface EdgePlace {
  /** An SVG path. */
  readonly path: string;
  /** The middle, where its label goes. */
  readonly x: number;
  readonly y: number;
}

export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** By vertex id; `x` and `y` are its centre. */
  readonly vertices: ReadonlyMap<string, Place>;
  /** By `edgeKey`. */
  readonly edges: ReadonlyMap<string, EdgePlace>;
}

/** Room for a name in the page's font, by its length: no text is measured before it is drawn. */
const characterWidth = 8.4;
const vertexHeight = 52;
const labelSize = { width: 184, height: 40 };

let known: { readonly shape: string; readonly layout: GraphLayout } | undefined;

/** The layout of `graph`; the very one of the last call where nothing came or went. */
export function layoutOf(graph: MeshGraphView): GraphLayout {
  const shape = shapeOf(graph);
  if (known?.shape !== shape) {
    known = { shape, layout: place(graph) };
  }
  return known.layout;
}

export function edgeKey({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from}\n${to}`;
}

function shapeOf({ name, vertices, edges }: MeshGraphView): string {
  return JSON.stringify([name, vertices.map(({ id }) => id), edges.map(edgeKey)]);
}

export function widthOf({ name, kind }: Pick<VertexView, 'name' | 'kind'>): number {
  const characters = Math.max(name.length, kind.length);
  return Math.max(150, Math.min(300, characters * characterWidth + 32));
}

function place({ vertices, edges }: MeshGraphView): GraphLayout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 30, ranksep: 26, marginx: 12, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const vertex of vertices) {
    graph.setNode(vertex.id, { width: widthOf(vertex), height: vertexHeight });
  }
  for (const edge of edges) {
    const size = edge.kind === 'provider' ? { width: 8, height: 8 } : labelSize;
    graph.setEdge(edge.from, edge.to, { ...size, labelpos: 'c' });
  }
  layout(graph);
  const size = graph.graph();
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    vertices: new Map(
      vertices.map(({ id }) => {
        const { x, y, width, height } = graph.node(id) as unknown as Place;
        return [id, { x, y, width, height }];
      }),
    ),
    edges: new Map(
      edges.map((edge) => {
        const from = graph.node(edge.from) as unknown as Place;
        const to = graph.node(edge.to) as unknown as Place;
        const { points, x, y } = graph.edge(edge.from, edge.to) as unknown as {
          readonly points: readonly Point[];
          readonly x?: number;
          readonly y?: number;
        };
        // What leads back (a ring of calls) keeps dagre's own ends.
        const isForward = from.x < to.x;
        const inner = points.slice(1, -1);
        const whole = isForward
          ? [
              { x: from.x + from.width / 2, y: from.y },
              ...inner,
              { x: to.x - to.width / 2, y: to.y },
            ]
          : points;
        const middle = points[Math.floor(points.length / 2)];
        return [
          edgeKey(edge),
          { path: curve(whole), x: x ?? middle?.x ?? 0, y: y ?? middle?.y ?? 0 },
        ];
      }),
    ),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A path that leaves and reaches each point level, so that lines of a bundle stay apart. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) {
    return '';
  }
  let from = first;
  const parts = [`M${first.x},${first.y}`];
  for (const to of rest) {
    const middle = (from.x + to.x) / 2;
    parts.push(`C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`);
    from = to;
  }
  return parts.join(' ');
}
