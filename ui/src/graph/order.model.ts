/** Orders the vertices inside each layer so that few edges cross. */

/** Layers of a proper graph: every edge joins neighbouring layers. `before` and `after` are neighbours by vertex. */
export interface Layered {
  readonly layers: number[][];
  readonly before: readonly number[][];
  readonly after: readonly number[][];
}

/** Above this many vertices crossings are no longer counted; the sweeps alone decide. */
const COUNTED = 6000;
const SWEEPS = 10;

/** Reorders `graph.layers` in place. */
export function orderLayers(graph: Layered): void {
  const total = graph.before.length;
  const place = new Float64Array(total);
  for (const layer of graph.layers) renumber(layer, place);
  const counted = total <= COUNTED;
  let best = counted ? crossings(graph, place) : 0;
  let kept = graph.layers.map((layer) => layer.slice());
  for (let sweep = 0; sweep < SWEEPS && (!counted || best > 0); sweep++) {
    const forward = sweep % 2 === 0;
    const depth = graph.layers.length;
    for (let step = 0; step < depth; step++) {
      const layer = graph.layers[forward ? step : depth - 1 - step]!;
      byBarycentre(layer, forward ? graph.before : graph.after, place);
    }
    if (!counted) continue;
    transpose(graph, place);
    const now = crossings(graph, place);
    if (now < best) {
      best = now;
      kept = graph.layers.map((layer) => layer.slice());
    }
  }
  if (counted) kept.forEach((layer, depth) => (graph.layers[depth] = layer));
}

/** How many pairs of edges cross, with `place` as each vertex's position in its layer. */
export function crossings(graph: Layered, place: Float64Array): number {
  let total = 0;
  for (let depth = 0; depth + 1 < graph.layers.length; depth++) {
    const width = graph.layers[depth + 1]!.length;
    const tree = new Int32Array(width + 1);
    let seen = 0;
    for (const vertex of graph.layers[depth]!) {
      const targets = graph.after[vertex]!.map((target) => place[target]!);
      for (const target of targets) {
        let below = 0;
        for (let at = target + 1; at > 0; at -= at & -at) below += tree[at]!;
        total += seen - below;
      }
      for (const target of targets) {
        for (let at = target + 1; at <= width; at += at & -at) tree[at]!++;
      }
      seen += targets.length;
    }
  }
  return total;
}

function renumber(layer: readonly number[], place: Float64Array): void {
  layer.forEach((vertex, index) => (place[vertex] = index));
}

function byBarycentre(layer: number[], neighbours: readonly number[][], place: Float64Array): void {
  const key = new Map<number, number>();
  for (const vertex of layer) {
    const around = neighbours[vertex]!;
    let sum = 0;
    for (const other of around) sum += place[other]!;
    key.set(vertex, around.length > 0 ? sum / around.length : place[vertex]!);
  }
  layer.sort((a, b) => key.get(a)! - key.get(b)!);
  renumber(layer, place);
}

/** Swaps neighbours while that removes crossings; what sweeps of means cannot see. */
function transpose(graph: Layered, place: Float64Array): void {
  for (let better = true, rounds = 0; better && rounds < 4; rounds++) {
    better = false;
    for (const layer of graph.layers) {
      for (let index = 0; index + 1 < layer.length; index++) {
        const left = layer[index]!;
        const right = layer[index + 1]!;
        const gain =
          pairCrossings(graph.before[left]!, graph.before[right]!, place) +
          pairCrossings(graph.after[left]!, graph.after[right]!, place);
        if (gain <= 0) continue;
        layer[index] = right;
        layer[index + 1] = left;
        place[right] = index;
        place[left] = index + 1;
        better = true;
      }
    }
  }
}

/** Crossings now minus crossings after a swap, for the edges of one side. */
function pairCrossings(left: readonly number[], right: readonly number[], place: Float64Array): number {
  let gain = 0;
  for (const a of left) {
    for (const b of right) gain += Math.sign(place[a]! - place[b]!);
  }
  return gain;
}
