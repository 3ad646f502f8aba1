import { describe, expect, it } from "vitest";
import { adjacency, components, rank, withoutCycles, type Edge } from "./layers.model";
import { headOf, layout, type Layout } from "./layout.model";
import { crossings, orderLayers } from "./order.model";

const SIZE = { nodeWidth: 200, nodeHeight: 60, gapX: 80, gapY: 20 };
const lay = (count: number, edges: Edge[]): Layout => layout({ count, edges, ...SIZE });

/** A repeatable graph with edges from lower to higher numbers. */
function sample(count: number, degree: number, seed: number): Edge[] {
  let state = seed;
  const random = () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
  const edges: Edge[] = [];
  for (let to = 1; to < count; to++) {
    const wanted = Math.floor(random() * degree * 2);
    for (let k = 0; k < wanted; k++) edges.push([Math.floor(random() * to), to]);
  }
  return edges;
}

function overlaps({ x, y }: Layout): number {
  let pairs = 0;
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length; b++) {
      const apart = Math.abs(x[a]! - x[b]!) >= SIZE.nodeWidth || Math.abs(y[a]! - y[b]!) >= SIZE.nodeHeight - 0.01;
      if (!apart) pairs++;
    }
  }
  return pairs;
}

describe("headOf", () => {
  it("is the top one of the leftmost nodes", () => {
    expect(headOf({ ...lay(0, []), x: Float32Array.of(9, 0, 0), y: Float32Array.of(0, 70, 40) })).toEqual({ x: 0, y: 40 });
    expect(headOf(lay(0, []))).toEqual({ x: 0, y: 0 });
  });
});

describe("rank", () => {
  it("puts each vertex after all that feed it", () => {
    const edges = sample(80, 1.5, 7);
    const layer = rank(80, adjacency(80, edges));
    for (const [from, to] of edges) expect(layer[from]).toBeLessThan(layer[to]!);
  });

  it("pulls a source to just before its only reader", () => {
    const layer = rank(
      4,
      adjacency(4, [
        [0, 1],
        [1, 2],
        [3, 2],
      ]),
    );
    expect(layer).toEqual([0, 1, 2, 1]);
  });
});

describe("withoutCycles", () => {
  it("drops only the edge that closes the ring", () => {
    expect(
      withoutCycles(3, [
        [0, 1],
        [1, 2],
        [2, 0],
        [1, 1],
      ]),
    ).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe("components", () => {
  it("lists parts, largest first", () => {
    expect(
      components(
        5,
        adjacency(5, [
          [3, 4],
          [0, 4],
        ]),
      ),
    ).toEqual([[0, 3, 4], [1], [2]]);
  });
});

describe("orderLayers", () => {
  it("untangles a graph that can be drawn without crossings", () => {
    const graph = {
      layers: [
        [0, 1, 2],
        [3, 4, 5],
      ],
      before: [[], [], [], [2], [1], [0]],
      after: [[5], [4], [3], [], [], []],
    };
    orderLayers(graph);
    const place = new Float64Array(6);
    for (const layer of graph.layers) layer.forEach((vertex, index) => (place[vertex] = index));
    expect(crossings(graph, place)).toBe(0);
  });
});

describe("layout", () => {
  it("keeps nodes apart and edges pointing right", () => {
    for (const seed of [1, 2, 3]) {
      const edges = sample(60, 1.2, seed);
      const result = lay(60, edges);
      expect(overlaps(result)).toBe(0);
      for (const [from, to] of edges) expect(result.x[from]! + SIZE.nodeWidth).toBeLessThan(result.x[to]!);
    }
  });

  it("draws a chain as one straight row", () => {
    const { y, width, height } = lay(4, [
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(new Set(y)).toEqual(new Set([0]));
    expect(width).toBe(4 * 200 + 3 * 80);
    expect(height).toBe(60);
  });

  it("leads a long edge round the nodes between its ends", () => {
    const { routes, y } = lay(3, [
      [0, 1],
      [1, 2],
      [0, 2],
    ]);
    const long = routes[2]!;
    expect(long.length).toBe(8);
    expect(Math.abs(long[3]! - (y[1]! + 30))).toBeGreaterThan(30);
  });

  it("puts unconnected nodes into a grid below", () => {
    const result = lay(12, [[0, 1]]);
    expect(overlaps(result)).toBe(0);
    for (let node = 2; node < 12; node++) expect(result.y[node]!).toBeGreaterThan(result.y[0]!);
  });

  it("answers for an empty graph and for a ring", () => {
    expect(lay(0, [])).toMatchObject({ width: 0, height: 0 });
    const ring = lay(3, [
      [0, 1],
      [1, 2],
      [2, 0],
    ]);
    expect(overlaps(ring)).toBe(0);
    expect(ring.routes).toHaveLength(3);
  });

  it("stays within the height and width it names", () => {
    const result = lay(60, sample(60, 1.2, 5));
    for (let node = 0; node < 60; node++) {
      expect(result.x[node]! + SIZE.nodeWidth).toBeLessThanOrEqual(result.width + 0.01);
      expect(result.y[node]! + SIZE.nodeHeight).toBeLessThanOrEqual(result.height + 0.01);
      expect(result.y[node]!).toBeGreaterThanOrEqual(-0.01);
    }
  });
});
