/** Moves a keyboard cursor along a graph: left and right follow edges, up and down stay in the column. */

import type { Adjacency } from "./layers.model";

export type Direction = "left" | "right" | "up" | "down";

export interface Places {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** The node to go to, or the same one when there is none that way. */
export function walk(from: number, direction: Direction, near: Adjacency, places: Places): number {
  if (direction === "left" || direction === "right") {
    const around = (direction === "left" ? near.before : near.after)[from] ?? [];
    return nearest(around, places.y[from]!, places) ?? from;
  }
  const column: number[] = [];
  for (let node = 0; node < places.x.length; node++) {
    if (
      Math.abs(places.x[node]! - places.x[from]!) < 1 &&
      (places.y[node]! - places.y[from]!) * (direction === "up" ? -1 : 1) > 0
    ) {
      column.push(node);
    }
  }
  return nearest(column, places.y[from]!, places) ?? from;
}

/** Every node upstream (or downstream) of the given ones, themselves included, at most `depth` edges away. */
export function reach(
  roots: Iterable<number>,
  direction: "upstream" | "downstream",
  near: Adjacency,
  depth = Infinity,
): Set<number> {
  const seen = new Set(roots);
  let edge = [...seen];
  for (let far = 0; far < depth && edge.length > 0; far++) {
    const next: number[] = [];
    for (const node of edge) {
      for (const other of (direction === "upstream" ? near.before : near.after)[node] ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        next.push(other);
      }
    }
    edge = next;
  }
  return seen;
}

function nearest(nodes: readonly number[], y: number, places: Places): number | undefined {
  let best: number | undefined;
  for (const node of nodes) {
    if (best === undefined || Math.abs(places.y[node]! - y) < Math.abs(places.y[best]! - y)) best = node;
  }
  return best;
}
