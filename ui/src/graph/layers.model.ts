/** Ranks the vertices of a directed graph: which layer each one stands in, with edges pointing to later layers only. */

/** An edge by the indices of its two vertices: data flows from the first to the second. */
export type Edge = readonly [from: number, to: number];

export interface Adjacency {
  readonly before: readonly number[][];
  readonly after: readonly number[][];
}

/** Neighbours of each vertex; self-loops and doubles are left out. */
export function adjacency(count: number, edges: readonly Edge[]): Adjacency {
  const before: number[][] = Array.from({ length: count }, () => []);
  const after: number[][] = Array.from({ length: count }, () => []);
  const seen = new Set<number>();
  for (const [from, to] of edges) {
    const code = from * count + to;
    if (from === to || seen.has(code)) continue;
    seen.add(code);
    after[from]!.push(to);
    before[to]!.push(from);
  }
  return { before, after };
}

/** The edges without those that close a cycle, found by a depth-first walk in vertex order. */
export function withoutCycles(count: number, edges: readonly Edge[]): Edge[] {
  const { after } = adjacency(count, edges);
  const state = new Uint8Array(count); // 0 new, 1 on the path, 2 done
  const closing = new Set<number>();
  for (let root = 0; root < count; root++) {
    if (state[root] !== 0) continue;
    const path: { vertex: number; next: number }[] = [{ vertex: root, next: 0 }];
    state[root] = 1;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const target = after[top.vertex]![top.next++];
      if (target === undefined) {
        state[top.vertex] = 2;
        path.pop();
      } else if (state[target] === 1) {
        closing.add(top.vertex * count + target);
      } else if (state[target] === 0) {
        state[target] = 1;
        path.push({ vertex: target, next: 0 });
      }
    }
  }
  return edges.filter(([from, to]) => from !== to && !closing.has(from * count + to));
}

/**
 * The layer of each vertex, from 0: the longest way from a source, then pulled towards its readers where that
 * shortens edges (a table that only a late step reads stands just before that step).
 */
export function rank(count: number, { before, after }: Adjacency): number[] {
  const layer = new Array<number>(count).fill(0);
  const waiting = before.map((list) => list.length);
  const order: number[] = [];
  for (let vertex = 0; vertex < count; vertex++) if (waiting[vertex] === 0) order.push(vertex);
  for (let head = 0; head < order.length; head++) {
    const vertex = order[head]!;
    for (const reader of after[vertex]!) {
      layer[reader] = Math.max(layer[reader]!, layer[vertex]! + 1);
      waiting[reader]!--;
      if (waiting[reader] === 0) order.push(reader);
    }
  }
  for (let place = order.length - 1; place >= 0; place--) {
    const vertex = order[place]!;
    const readers = after[vertex]!;
    if (readers.length <= before[vertex]!.length) continue;
    layer[vertex] = Math.min(...readers.map((reader) => layer[reader]!)) - 1;
  }
  return layer;
}

/** The vertices of each connected part, largest part first. */
export function components(count: number, { before, after }: Adjacency): number[][] {
  const part = new Int32Array(count).fill(-1);
  const parts: number[][] = [];
  for (let root = 0; root < count; root++) {
    if (part[root] !== -1) continue;
    const members = [root];
    part[root] = parts.length;
    for (let head = 0; head < members.length; head++) {
      const vertex = members[head]!;
      for (const list of [before[vertex]!, after[vertex]!]) {
        for (const other of list) {
          if (part[other] !== -1) continue;
          part[other] = parts.length;
          members.push(other);
        }
      }
    }
    parts.push(members.toSorted((a, b) => a - b));
  }
  return parts.toSorted((a, b) => b.length - a.length);
}
