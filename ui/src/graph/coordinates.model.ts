/** Gives the vertices of ordered layers their positions across the layer: straight edges, fair gaps, no overlap. */

import type { Layered } from "./order.model";

const ROUNDS = 14;

/**
 * Positions (centres) of all vertices across their layer.
 *
 * Args:
 *   size: Room that a vertex takes across the layer, gap included.
 *   weight: How much an edge to or from this vertex wants to be straight; high for the bends of long edges.
 */
export function assignCoordinates(graph: Layered, size: Float64Array, weight: Float64Array): Float64Array {
  const at = new Float64Array(size.length);
  for (const layer of graph.layers) {
    let edge = 0;
    for (const vertex of layer) {
      at[vertex] = edge + size[vertex]! / 2;
      edge += size[vertex]!;
    }
  }
  const depth = graph.layers.length;
  for (let round = 0; round < ROUNDS; round++) {
    const forward = round % 2 === 0;
    const both = round >= ROUNDS - 2;
    for (let step = 0; step < depth; step++) {
      const layer = graph.layers[forward ? step : depth - 1 - step]!;
      settle(layer, at, size, (vertex) => {
        const sides = both
          ? [graph.before[vertex]!, graph.after[vertex]!]
          : [(forward ? graph.before : graph.after)[vertex]!];
        let sum = 0;
        let total = 0;
        for (const side of sides) {
          for (const other of side) {
            const pull = weight[vertex]! * weight[other]!;
            sum += at[other]! * pull;
            total += pull;
          }
        }
        return total > 0 ? { wish: sum / total, pull: total } : { wish: at[vertex]!, pull: 0.01 };
      });
    }
  }
  return at;
}

interface Block {
  sum: number;
  pull: number;
  count: number;
}

/**
 * The positions nearest to all wishes that keep order and room: least squares under gaps is an isotonic regression,
 * solved exactly by pooling neighbours that violate the order.
 */
function settle(
  layer: readonly number[],
  at: Float64Array,
  size: Float64Array,
  wishOf: (vertex: number) => { wish: number; pull: number },
): void {
  const blocks: Block[] = [];
  const shift: number[] = [];
  let offset = 0;
  layer.forEach((vertex, index) => {
    if (index > 0) offset += (size[layer[index - 1]!]! + size[vertex]!) / 2;
    shift.push(offset);
    const { wish, pull } = wishOf(vertex);
    let block: Block = { sum: (wish - offset) * pull, pull, count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.pull > block.sum / block.pull; last = blocks.at(-1)) {
      block = { sum: block.sum + last.sum, pull: block.pull + last.pull, count: block.count + last.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  let index = 0;
  for (const block of blocks) {
    const origin = block.sum / block.pull;
    for (let k = 0; k < block.count; k++, index++) at[layer[index]!] = origin + shift[index]!;
  }
}
