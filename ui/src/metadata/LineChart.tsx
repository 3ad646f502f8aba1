/** A small line chart of one number: the latest value, the way it went, and the point under the pointer. */
import { type KeyboardEvent, type PointerEvent, useState } from "react";

import { useWidth } from "../kit/useWidth";
import { useTimeStyle } from "../kit/Time";
import { shortTime } from "../services/time.model";
import { type ChartBox, nearestPoint, placePoints } from "./chart.model";
import css from "./LineChart.module.css";
import { type Series, shortNumber } from "./numbers.model";

interface LineChartProps {
  series: Series;
  along: "time" | "order";
}

const HEIGHT = 132;
/** Up to this many points each gets a dot. */
const DOTTED = 80;

export function LineChart({ series, along }: LineChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [picked, setPicked] = useState(-1);
  const style = useTimeStyle();
  const { points } = series;
  const box: ChartBox = { width, height: HEIGHT, left: 44, right: 10, top: 8, bottom: 20 };
  const chart = placePoints(points, box, along);
  const now = Date.now() / 1000;
  const nameOf = (index: number): string => {
    const point = points[index]!;
    return along === "order" && point.partition !== null ? point.partition : shortTime(point.at / 1000, now, style);
  };
  const shown = picked >= 0 && picked < points.length ? picked : points.length - 1;
  const point = points[shown];
  if (!point) return null;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    setPicked(Math.min(points.length - 1, Math.max(0, shown + step)));
  };
  return (
    <figure className={css.chart}>
      <figcaption className={css.caption}>
        <span className={css.name}>{series.label}</span>
        <output className={css.value}>
          <strong>{point.value.toLocaleString("en", { maximumFractionDigits: 6 })}</strong> {nameOf(shown)}
        </output>
      </figcaption>
      <div
        ref={ref}
        className={css.plot}
        tabIndex={0}
        role="img"
        aria-label={`${series.label}: ${points.length} values. Left and right arrows step through them.`}
        onKeyDown={onKeyDown}
        onPointerMove={(event: PointerEvent) => {
          setPicked(nearestPoint(chart, event.clientX - event.currentTarget.getBoundingClientRect().left));
        }}
        onPointerLeave={() => setPicked(-1)}
      >
        <svg width={width} height={HEIGHT} aria-hidden="true">
          {chart.scale.ticks.map((tick) => (
            <g key={tick}>
              <line
                className={css.grid}
                x1={box.left}
                x2={width - box.right}
                y1={chart.yOf(tick)}
                y2={chart.yOf(tick)}
              />
              <text className={css.label} x={box.left - 6} y={chart.yOf(tick) + 4} textAnchor="end">
                {shortNumber(tick)}
              </text>
            </g>
          ))}
          <path className={css.line} d={chart.path} />
          {points.length <= DOTTED
            ? chart.points.map(({ x, y }, index) => <circle key={index} className={css.dot} cx={x} cy={y} r={2} />)
            : null}
          <circle className={css.picked} cx={chart.points[shown]!.x} cy={chart.points[shown]!.y} r={4} />
          <text className={css.label} x={box.left} y={HEIGHT - 4}>
            {nameOf(0)}
          </text>
          <text className={css.label} x={width - box.right} y={HEIGHT - 4} textAnchor="end">
            {points.length > 1 ? nameOf(points.length - 1) : ""}
          </text>
        </svg>
      </div>
    </figure>
  );
}
