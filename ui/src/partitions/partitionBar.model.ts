/** Turns run-length ranges of partition statuses into the columns of a bar, for any number of partitions. */

export type PartitionStatus = "MATERIALIZED" | "FAILED" | "MATERIALIZING" | "MISSING";

export interface StatusRange {
  /** Partitions counted from 0; the end is included. */
  readonly startIndex: number;
  readonly endIndex: number;
  readonly status: Exclude<PartitionStatus, "MISSING">;
}

/** Positions as text: single ones, and ranges with both ends: "0-364,366". */
export interface Positions {
  readonly materialized: string;
  readonly failed: string;
  readonly materializing: string;
}

/** The ranges that positions as text come to, in order. */
export function rangesOf(positions: Positions): StatusRange[] {
  const ranges: StatusRange[] = [];
  for (const [text, status] of [
    [positions.materialized, "MATERIALIZED"],
    [positions.failed, "FAILED"],
    [positions.materializing, "MATERIALIZING"],
  ] as const) {
    for (const part of text === "" ? [] : text.split(",")) {
      const [first, last = first] = part.split("-");
      ranges.push({ startIndex: Number(first), endIndex: Number(last), status });
    }
  }
  return ranges.sort((a, b) => a.startIndex - b.startIndex);
}

/** A stretch of the bar with one mix of statuses. Fractions of the covered partitions, in paint order. */
export interface Column {
  readonly left: number;
  readonly width: number;
  readonly failed: number;
  readonly materializing: number;
  readonly materialized: number;
}

/**
 * The columns to paint, left to right, at most one per pixel.
 *
 * Args:
 *   ranges: In order, not overlapping; what lies between them is missing.
 *   from, to: The partitions shown; `to` is not included.
 *   width: Of the bar, in pixels.
 */
export function columns(ranges: readonly StatusRange[], from: number, to: number, width: number): Column[] {
  const shown = Math.max(1, to - from);
  const pixels = Math.max(1, Math.min(Math.floor(width), shown));
  const per = shown / pixels;
  const unit = width / pixels;
  const failed = new Float64Array(pixels);
  const materializing = new Float64Array(pixels);
  const materialized = new Float64Array(pixels);
  const target = { FAILED: failed, MATERIALIZING: materializing, MATERIALIZED: materialized };
  for (const range of ranges) {
    const low = Math.max(from, range.startIndex) - from;
    const high = Math.min(to, range.endIndex + 1) - from;
    if (high <= low) continue;
    const counts = target[range.status];
    const last = Math.min(pixels - 1, Math.ceil(high / per) - 1);
    for (let pixel = Math.floor(low / per); pixel <= last; pixel++) {
      counts[pixel]! += (Math.min(high, (pixel + 1) * per) - Math.max(low, pixel * per)) / per;
    }
  }
  const merged: Column[] = [];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const mix = { failed: failed[pixel]!, materializing: materializing[pixel]!, materialized: materialized[pixel]! };
    const last = merged.at(-1);
    if (
      last &&
      last.failed === mix.failed &&
      last.materializing === mix.materializing &&
      last.materialized === mix.materialized
    ) {
      merged[merged.length - 1] = { ...last, width: last.width + unit };
    } else {
      merged.push({ left: pixel * unit, width: unit, ...mix });
    }
  }
  return merged;
}

/** The status of one partition. */
export function statusAt(ranges: readonly StatusRange[], index: number): PartitionStatus {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle]!;
    if (index < range.startIndex) high = middle - 1;
    else if (index > range.endIndex) low = middle + 1;
    else return range.status;
  }
  return "MISSING";
}

/** How many partitions stand in each status. */
export function countStatuses(ranges: readonly StatusRange[], total: number): Record<PartitionStatus, number> {
  const counts = { MATERIALIZED: 0, FAILED: 0, MATERIALIZING: 0, MISSING: total };
  for (const range of ranges) {
    const size = range.endIndex - range.startIndex + 1;
    counts[range.status] += size;
    counts.MISSING -= size;
  }
  return counts;
}

/** The indices in a stretch (`to` not included) that stand in one of the statuses, in order. */
export function indicesOf(
  ranges: readonly StatusRange[],
  statuses: ReadonlySet<PartitionStatus>,
  from: number,
  to: number,
): number[] {
  const found: number[] = [];
  let next = 0;
  for (let index = from; index < to; index++) {
    while (next < ranges.length && ranges[next]!.endIndex < index) next++;
    const range = ranges[next];
    const status = range && range.startIndex <= index ? range.status : "MISSING";
    if (statuses.has(status)) found.push(index);
  }
  return found;
}

/** The partition under a pixel of the bar. */
export function indexAt(px: number, from: number, to: number, width: number): number {
  const index = from + Math.floor((px / Math.max(1, width)) * (to - from));
  return Math.min(to - 1, Math.max(from, index));
}
