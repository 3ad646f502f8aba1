/** How wide a table must be before its columns lose their contents. Pure. */

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
