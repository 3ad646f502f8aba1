/** Which of many rows of known heights are in sight. Pure. */

/** Where each row begins, and at last where the whole ends. */
export function offsetsOf(heights: readonly number[]): Float64Array {
  const offsets = new Float64Array(heights.length + 1);
  for (let index = 0; index < heights.length; index++) offsets[index + 1] = offsets[index]! + heights[index]!;
  return offsets;
}

/** The row at a height: the last one that begins at or above it. */
export function rowAt(offsets: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, offsets.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** First and last-but-one row to draw for a window of the given height, with some beyond either end. */
export function visibleRows(offsets: Float64Array, top: number, height: number, beyond: number): [from: number, to: number] {
  const count = offsets.length - 1;
  if (count === 0) return [0, 0];
  return [Math.max(0, rowAt(offsets, top) - beyond), Math.min(count, rowAt(offsets, top + height) + 1 + beyond)];
}
