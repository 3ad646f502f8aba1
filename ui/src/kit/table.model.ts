/** How wide a table must be before its columns lose their contents, and which of its rows are in sight. Pure. */

interface Sized {
  /** CSS width in px or per cent; without one the column shares what is left. */
  width?: string;
  /** Least px of a column without a width. */
  least?: number;
}

const LEAST_PX = 140;

/**
 * The least width in px at which every column of a table with a fixed layout has room: those in px theirs, those
 * without a width their least, and those in per cent their share of the whole.
 */
export function leastWidth(columns: readonly Sized[], boxPx = 0): number {
  let pixels = boxPx;
  let share = 0;
  for (const { width, least = LEAST_PX } of columns) {
    const size = Number.parseFloat(width ?? "");
    if (width === undefined) pixels += least;
    else if (width.endsWith("%")) share += size / 100;
    else pixels += size;
  }
  return Math.round(pixels / (1 - Math.min(share, 0.9)));
}

/** A table of up to so many rows is drawn as a whole. */
const WHOLE = 200;
const BEYOND = 30;
const STEP = 10;

/** Rows `from` to `to` (left out) are drawn; what is above and below them takes so many px. */
export interface RowsInSight {
  readonly from: number;
  readonly to: number;
  readonly above: number;
  readonly below: number;
}

/**
 * Which of many rows of the same height to draw: those in sight and some beyond, in steps, so that few scrolls change it.
 *
 * Args:
 *   count: How many rows there are.
 *   rowPx: The height of one.
 *   top: How far the place of the first row lies above what is seen.
 *   seenPx: The height of what is seen.
 */
export function rowsInSight(count: number, rowPx: number, top: number, seenPx: number): RowsInSight {
  if (count <= WHOLE) return { from: 0, to: count, above: 0, below: 0 };
  const first = Math.floor(top / rowPx / STEP) * STEP - BEYOND;
  const from = Math.max(0, Math.min(first, count - WHOLE));
  const to = Math.min(count, Math.max(from, first) + Math.ceil(seenPx / rowPx) + STEP + 2 * BEYOND);
  return { from, to, above: from * rowPx, below: (count - to) * rowPx };
}
