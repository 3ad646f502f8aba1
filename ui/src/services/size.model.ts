/** Sizes as text. Pure. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** "512 B", "5.4 MB": decimal units, two or three figures. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const figures = unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1);
  return `${figures} ${UNITS[unit]}`;
}
