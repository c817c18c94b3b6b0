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
const characterWidth = 7.4;
const vertexHeight = 52;
const labelSize = { width: 132, height: 34 };

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
  const characters = Math.max(name.length, kind.length + 4);
  return Math.max(120, Math.min(300, characters * characterWidth + 32));
}

function place({ vertices, edges }: MeshGraphView): GraphLayout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 46, marginx: 12, marginy: 12 });
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
        const { points, x, y } = graph.edge(edge.from, edge.to) as unknown as {
          readonly points: readonly Point[];
          readonly x?: number;
          readonly y?: number;
        };
        const middle = points[Math.floor(points.length / 2)];
        return [
          edgeKey(edge),
          { path: curve(points), x: x ?? middle?.x ?? 0, y: y ?? middle?.y ?? 0 },
        ];
      }),
    ),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A smooth path: straight to the first middle, then round each corner. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) {
    return '';
  }
  const parts = [`M${first.x},${first.y}`];
  rest.forEach((corner, index) => {
    const next = rest[index + 1];
    parts.push(
      next === undefined
        ? `L${corner.x},${corner.y}`
        : `Q${corner.x},${corner.y} ${(corner.x + next.x) / 2},${(corner.y + next.y) / 2}`,
    );
  });
  return parts.join(' ');
}
