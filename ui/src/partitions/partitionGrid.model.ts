/** Partitions of several dimensions as a grid: which position is which cell, how each cell stands, and boxes of them. Pure. */
import type { PartitionStatus, StatusRange } from "./partitionBar.model";

export interface Dimension {
  readonly name: string;
  readonly keys: readonly string[];
  /** Positions are counted along it in the largest steps. */
  readonly isPrimary: boolean;
}

/** Of each dimension, in their order, the first and last key that is chosen, as indices; both ends are included. */
export type Box = readonly (readonly [first: number, last: number])[];

/** How far apart two positions are that differ by one key of a dimension, for each dimension in its order. */
export function stridesOf(dimensions: readonly Dimension[]): readonly number[] {
  let strides = knownStrides.get(dimensions);
  if (strides === undefined) {
    strides = countStrides(dimensions);
    knownStrides.set(dimensions, strides);
  }
  return strides;
}

/** Asked for each of many positions of the same dimensions. */
const knownStrides = new WeakMap<readonly Dimension[], readonly number[]>();

function countStrides(dimensions: readonly Dimension[]): readonly number[] {
  const primary = Math.max(0, dimensions.findIndex(({ isPrimary }) => isPrimary));
  const order = [primary, ...[...dimensions.keys()].filter((index) => index !== primary)];
  const strides = dimensions.map(() => 1);
  let stride = 1;
  for (const index of order.toReversed()) {
    strides[index] = stride;
    stride *= dimensions[index]!.keys.length;
  }
  return strides;
}

/** The index within each dimension of the partition at a position. */
export function indicesAt(dimensions: readonly Dimension[], position: number): number[] {
  const strides = stridesOf(dimensions);
  const primary = strides.indexOf(Math.max(...strides));
  return strides.map((stride, place) => {
    const whole = Math.floor(position / stride);
    return place === primary ? whole : whole % dimensions[place]!.keys.length;
  });
}

/** The position of a key; -1 for one that is none. */
export function positionOf(dimensions: readonly Dimension[], key: string): number {
  const parts = dimensions.length === 1 ? [key] : key.split("|");
  if (parts.length !== dimensions.length) return -1;
  const strides = stridesOf(dimensions);
  const indices = dimensions.map(({ keys }, place) => keys.indexOf(parts[place]!));
  return indices.includes(-1) ? -1 : indices.reduce((sum, index, place) => sum + index * strides[place]!, 0);
}

/** Whether a position is within a box. */
export function isInside(dimensions: readonly Dimension[], box: Box, position: number): boolean {
  return indicesAt(dimensions, position).every((index, place) => index >= box[place]![0] && index <= box[place]![1]);
}

/** The box of one partition. */
export function boxAt(dimensions: readonly Dimension[], position: number): Box {
  return indicesAt(dimensions, position).map((index) => [index, index]);
}

/** The keys at both ends of a box, by which a run is told to work on all of it. */
export function endsOf(dimensions: readonly Dimension[], box: Box): readonly [first: string, last: string] {
  return [keyAt(dimensions, box.map(([first]) => first)), keyAt(dimensions, box.map(([, last]) => last))];
}

/** The key of the partition at these indices, one for each dimension. */
export function keyAt(dimensions: readonly Dimension[], indices: readonly number[]): string {
  return dimensions.map(({ keys }, place) => keys[indices[place]!] ?? "").join("|");
}

/** The whole of every dimension, but for those that are narrowed to one key. */
export function boxOf(dimensions: readonly Dimension[], narrowed: ReadonlyMap<number, number>): Box {
  return dimensions.map(({ keys }, place) => {
    const only = narrowed.get(place);
    return only === undefined ? [0, keys.length - 1] : [only, only];
  });
}

/** How many partitions a box holds. */
export function sizeOf(box: Box): number {
  return box.reduce((size, [first, last]) => size * Math.max(0, last - first + 1), 1);
}

/** The keys of a box, in the order of their positions. */
export function keysOf(dimensions: readonly Dimension[], box: Box): string[] {
  const strides = stridesOf(dimensions);
  const order = [...dimensions.keys()].sort((a, b) => strides[b]! - strides[a]!);
  const indices = box.map(([first]) => first);
  const found: string[] = [];
  const walk = (depth: number): void => {
    if (depth === order.length) {
      found.push(keyAt(dimensions, indices));
      return;
    }
    const place = order[depth]!;
    const [first, last] = box[place]!;
    for (let index = first; index <= last; index++) {
      indices[place] = index;
      walk(depth + 1);
    }
  };
  walk(0);
  return found;
}

/** How many partitions of each cell stand in each status; `of` is how many a cell has. */
export interface Cells {
  readonly rows: number;
  readonly columns: number;
  readonly of: number;
  readonly materialized: Uint32Array;
  readonly failed: Uint32Array;
  readonly materializing: Uint32Array;
}

/**
 * Counts the partitions of a box cell by cell.
 *
 * Args:
 *   ranges: In order, not overlapping; what lies between them is missing.
 *   row, column: Which dimensions make the rows and the columns. With one dimension alone both are it, and there is one row.
 *   box: What is counted; its rows and columns are those of the grid.
 */
export function countCells(dimensions: readonly Dimension[], ranges: readonly StatusRange[], row: number, column: number, box: Box): Cells {
  const span = (place: number): number => box[place]![1] - box[place]![0] + 1;
  const rows = row === column ? 1 : span(row);
  const columns = span(column);
  const counted = {
    MATERIALIZED: new Uint32Array(rows * columns),
    FAILED: new Uint32Array(rows * columns),
    MATERIALIZING: new Uint32Array(rows * columns),
  };
  for (const { startIndex, endIndex, status } of ranges) {
    const counts = counted[status];
    for (let position = startIndex; position <= endIndex; position++) {
      const indices = indicesAt(dimensions, position);
      if (!indices.every((index, place) => index >= box[place]![0] && index <= box[place]![1])) continue;
      const y = row === column ? 0 : indices[row]! - box[row]![0];
      counts[y * columns + indices[column]! - box[column]![0]]!++;
    }
  }
  return {
    rows,
    columns,
    of: sizeOf(box) / (rows * columns),
    materialized: counted.MATERIALIZED,
    failed: counted.FAILED,
    materializing: counted.MATERIALIZING,
  };
}

/** Which part of some neighbouring cells of a row stands where: `to` is not included. */
export function sharesOf(cells: Cells, row: number, from: number, to: number): { failed: number; materializing: number; materialized: number } {
  let [failed, materializing, materialized] = [0, 0, 0];
  for (let at = row * cells.columns + from; at < row * cells.columns + to; at++) {
    failed += cells.failed[at]!;
    materializing += cells.materializing[at]!;
    materialized += cells.materialized[at]!;
  }
  const all = cells.of * (to - from);
  return { failed: failed / all, materializing: materializing / all, materialized: materialized / all };
}

/** The word of a cell: that of its one partition, or counts of those that stand anywhere. */
export function cellText(cells: Cells, row: number, column: number): string {
  const at = row * cells.columns + column;
  const found: [PartitionStatus, number][] = [
    ["MATERIALIZED", cells.materialized[at] ?? 0],
    ["FAILED", cells.failed[at] ?? 0],
    ["MATERIALIZING", cells.materializing[at] ?? 0],
  ];
  const missing = cells.of - found.reduce((sum, [, count]) => sum + count, 0);
  const parts = [...found, ["MISSING", missing] as const].filter(([, count]) => count > 0);
  return parts.map(([status, count]) => (cells.of === 1 ? status.toLowerCase() : `${count} ${status.toLowerCase()}`)).join(", ");
}

/** The index under a pixel, of `count` that share a length. */
export function indexUnder(px: number, count: number, length: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor((px / Math.max(1, length)) * count)));
}

/** A box with the rows and columns between two cells; the other dimensions stay. */
export function spanned(box: Box, row: number, column: number, from: readonly [number, number], to: readonly [number, number]): Box {
  const ends = (a: number, b: number): readonly [number, number] => [Math.min(a, b), Math.max(a, b)];
  return box.map((own, place) => (place === column ? ends(from[1], to[1]) : place === row ? ends(from[0], to[0]) : own));
}
