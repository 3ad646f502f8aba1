/** Picks the numbers out of metadata over time, and scales them into a small line chart. */

export interface Point {
  /** Where on the time axis: milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
  /** What the point is of: the partition, or nothing. */
  readonly partition: string | null;
}

export interface Series {
  readonly label: string;
  /** In time order. */
  readonly points: readonly Point[];
}

/** The part of a materialization that plots need. */
export interface Measured {
  readonly timestamp: string;
  readonly partition: string | null;
  readonly numbers: readonly { readonly label: string; readonly value: number }[];
}

/** One series per label, in the order in which labels are met; those with the most points are not preferred. */
export function collectSeries(events: readonly Measured[]): Series[] {
  const found = new Map<string, Point[]>();
  for (const event of events) {
    for (const { label, value } of event.numbers) {
      if (!Number.isFinite(value)) continue;
      const points = found.get(label) ?? [];
      found.set(label, points);
      points.push({ at: Number(event.timestamp), value, partition: event.partition });
    }
  }
  return [...found].map(([label, points]) => ({ label, points: points.toSorted((a, b) => a.at - b.at) }));
}

/** The latest value of each partition in the order of keys given by sorting them: a series over partitions, not time. */
export function byPartition(series: Series): Series {
  const latest = new Map<string, Point>();
  for (const point of series.points) if (point.partition !== null) latest.set(point.partition, point);
  const points = [...latest.values()].toSorted((a, b) => (a.partition! < b.partition! ? -1 : 1));
  return { label: series.label, points };
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Round bounds and two to five round ticks around the values; a flat series gets room above and below. */
export function niceScale(values: readonly number[]): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1, ticks: [0, 1] };
  if (low === high) {
    const room = Math.abs(low) > 0 ? Math.abs(low) * 0.5 : 1;
    low -= room;
    high += room;
  } else if (low > 0 && low < (high - low) * 0.6) {
    low = 0;
  }
  const step = niceStep((high - low) / 3);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return { low: ticks[0]!, high: ticks.at(-1)!, ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

/** A number for an axis or a tile: thousands are cut to k, M, G; small ones keep three figures. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  for (const [bound, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (size >= bound) return `${trim(value / (letter === "k" ? 1e3 : bound))}${letter}`;
  }
  return trim(value);
}

const trim = (value: number): string => String(Number(value.toPrecision(3 + (Math.abs(value) >= 1000 ? 1 : 0))));
