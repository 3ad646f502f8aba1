/** Places the points of a series in a chart's box. Pure. */
import { niceScale, type Point, type Scale } from "./numbers.model";

export interface ChartBox {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Chart {
  readonly scale: Scale;
  /** Pixels of each point, in the series' order. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** The line through them as an SVG path. */
  readonly path: string;
  yOf(value: number): number;
}

/** Spreads points evenly (`along: "order"`) or by their instants. */
export function placePoints(series: readonly Point[], box: ChartBox, along: "time" | "order"): Chart {
  const scale = niceScale(series.map((point) => point.value));
  const inner = { width: box.width - box.left - box.right, height: box.height - box.top - box.bottom };
  const yOf = (value: number) => box.top + inner.height * (1 - (value - scale.low) / (scale.high - scale.low));
  const first = series[0]?.at ?? 0;
  const span = (series.at(-1)?.at ?? 0) - first;
  const points = series.map((point, index) => {
    const share =
      along === "time" && span > 0 ? (point.at - first) / span : series.length > 1 ? index / (series.length - 1) : 0.5;
    return { x: box.left + share * inner.width, y: yOf(point.value) };
  });
  const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return { scale, points, path, yOf };
}

/** The point nearest to a pixel across the chart, or -1 when there is none. */
export function nearestPoint(chart: Chart, px: number): number {
  let best = -1;
  chart.points.forEach(({ x }, index) => {
    if (best < 0 || Math.abs(x - px) < Math.abs(chart.points[best]!.x - px)) best = index;
  });
  return best;
}
