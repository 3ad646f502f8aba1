/** Layered layout, left to right: pure, so that it runs in a worker, on the page and in tests alike. */

import { assignCoordinates } from "./coordinates.model";
import { adjacency, components, rank, withoutCycles, type Edge } from "./layers.model";
import { orderLayers } from "./order.model";

export type { Edge };

export interface LayoutInput {
  /** How many nodes; edges name them by index. */
  readonly count: number;
  readonly edges: readonly Edge[];
  /** Size of every node and the gaps between them, in world units (pixels at scale 1). */
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  readonly gapX: number;
  readonly gapY: number;
}

export interface Layout {
  /** Left and top of each node. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** For each given edge its points `x0 y0 x1 y1 …` from the right of the first node to the left of the second. */
  readonly routes: readonly Float32Array[];
  readonly width: number;
  readonly height: number;
}

/** Where the graph begins: the top one of its leftmost nodes. */
export function headOf({ x, y }: Layout): { x: number; y: number } {
  let head = 0;
  for (let node = 1; node < x.length; node++) {
    if (x[node]! < x[head]! || (x[node] === x[head] && y[node]! < y[head]!)) head = node;
  }
  return { x: x[head] ?? 0, y: y[head] ?? 0 };
}

/** Room that the bend of a long edge takes across its layer. */
const BEND = 18;

/** Lays a graph out; cycles are drawn, but their closing edge does not decide places. */
export function layout(input: LayoutInput): Layout {
  const { count, nodeWidth, nodeHeight, gapY } = input;
  const acyclic = withoutCycles(count, input.edges);
  const near = adjacency(count, acyclic);
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const bends = new Map<number, number[]>();
  const layerOf = rank(count, near);
  let bottom = 0;
  let width = 0;
  const alone: number[] = [];
  for (const members of components(count, near)) {
    if (members.length === 1) {
      alone.push(members[0]!);
      continue;
    }
    const box = placePart(members, near.after, layerOf, input, { x, y, bends, top: bottom, count });
    bottom += box.height + gapY * 2;
    width = Math.max(width, box.width);
  }
  const grid = placeAlone(alone, input, { x, y, top: bottom, width });
  const height = alone.length > 0 ? bottom + grid.height : Math.max(0, bottom - gapY * 2);
  const routes = input.edges.map(([from, to]) => {
    const middle = bends.get(from * count + to) ?? [];
    const start = [x[from]! + nodeWidth, y[from]! + nodeHeight / 2];
    return Float32Array.from([...start, ...middle, x[to]!, y[to]! + nodeHeight / 2]);
  });
  return { x, y, routes, width: Math.max(width, grid.width), height };
}

/** Nodes without edges, in a grid. */
function placeAlone(
  vertices: readonly number[],
  { nodeWidth: w, nodeHeight: h, gapX, gapY }: LayoutInput,
  out: { x: Float32Array; y: Float32Array; top: number; width: number },
): { width: number; height: number } {
  if (vertices.length === 0) return { width: 0, height: 0 };
  const square = Math.ceil(Math.sqrt((vertices.length * (h + gapY)) / (w + gapX)) * 1.5);
  const columns = Math.min(vertices.length, Math.max(1, square, Math.floor(out.width / (w + gapX))));
  vertices.forEach((vertex, index) => {
    out.x[vertex] = (index % columns) * (w + gapX);
    out.y[vertex] = out.top + Math.floor(index / columns) * (h + gapY);
  });
  const rows = Math.ceil(vertices.length / columns);
  return { width: columns * (w + gapX) - gapX, height: rows * (h + gapY) - gapY };
}

/** One connected part; answers how much room it took. */
function placePart(
  members: readonly number[],
  after: readonly number[][],
  layer: readonly number[],
  size: LayoutInput,
  out: { x: Float32Array; y: Float32Array; bends: Map<number, number[]>; top: number; count: number },
): { width: number; height: number } {
  const first = members.reduce((low, vertex) => Math.min(low, layer[vertex]!), Infinity);
  const part = properPart(members, after, layer, first);
  orderLayers(part);
  const room = Float64Array.from(part.owner, (owner) => (owner < 0 ? BEND : size.nodeHeight + size.gapY));
  const pull = Float64Array.from(part.owner, (owner) => (owner < 0 ? 3 : 1));
  const at = assignCoordinates(part, room, pull);
  let low = Infinity;
  let high = -Infinity;
  at.forEach((centre, vertex) => {
    low = Math.min(low, centre - room[vertex]! / 2);
    high = Math.max(high, centre + room[vertex]! / 2);
  });
  const step = size.nodeWidth + size.gapX;
  const lift = out.top - low - size.gapY / 2;
  part.layers.forEach((vertices, depth) => {
    for (const vertex of vertices) {
      const owner = part.owner[vertex]!;
      if (owner < 0) continue;
      out.x[owner] = depth * step;
      out.y[owner] = at[vertex]! + lift - size.nodeHeight / 2;
    }
  });
  for (const { from, to, through } of part.long) {
    const points: number[] = [];
    through.forEach((vertex, index) => {
      const left = (layer[from]! - first + 1 + index) * step;
      points.push(left, at[vertex]! + lift, left + size.nodeWidth, at[vertex]! + lift);
    });
    out.bends.set(from * out.count + to, points);
  }
  return { width: (part.layers.length - 1) * step + size.nodeWidth, height: high - low - size.gapY };
}

interface ProperPart {
  layers: number[][];
  before: number[][];
  after: number[][];
  /** The node of each vertex; -1 for a bend. */
  owner: number[];
  long: { from: number; to: number; through: number[] }[];
}

/** One connected part with bends put in, so that every edge joins neighbouring layers. */
function properPart(
  members: readonly number[],
  after: readonly number[][],
  layer: readonly number[],
  first: number,
): ProperPart {
  const part: ProperPart = { layers: [], before: [], after: [], owner: [], long: [] };
  const add = (owner: number, depth: number): number => {
    while (part.layers.length <= depth) part.layers.push([]);
    part.before.push([]);
    part.after.push([]);
    part.layers[depth]!.push(part.owner.length);
    return part.owner.push(owner) - 1;
  };
  const join = (from: number, to: number) => {
    part.after[from]!.push(to);
    part.before[to]!.push(from);
  };
  const vertexOf = new Map(members.map((member) => [member, add(member, layer[member]! - first)]));
  for (const member of members) {
    for (const reader of after[member]!) {
      const through: number[] = [];
      let last = vertexOf.get(member)!;
      for (let depth = layer[member]! + 1; depth < layer[reader]!; depth++) {
        const bend = add(-1, depth - first);
        through.push(bend);
        join(last, bend);
        last = bend;
      }
      join(last, vertexOf.get(reader)!);
      if (through.length > 0) part.long.push({ from: member, to: reader, through });
    }
  }
  return part;
}
