/** A bar of all partitions by status, however many; a stretch is chosen by dragging, or by the arrow keys. */
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";

import { useCanvasColours } from "../kit/canvasColours";
import css from "./PartitionBar.module.css";
import { columns, countStatuses, indexAt, statusAt, type StatusRange } from "./partitionBar.model";
import { statusLook } from "../kit/status.model";
import { useWidth } from "../kit/useWidth";

interface PartitionBarProps {
  label: string;
  total: number;
  ranges: readonly StatusRange[];
  /** The key of a partition, for the pointer's words. */
  keyOf: (index: number) => string;
  /** The chosen stretch, ends included. */
  chosen?: readonly [first: number, last: number] | undefined;
  onChoose?: (stretch: readonly [first: number, last: number] | undefined) => void;
}

const HEIGHT = 28;
const TOKENS = ["sunken", "good", "bad", "busy", "line-strong", "surface"] as const;

export function PartitionBar({ label, total, ranges, keyOf, chosen, onChoose }: PartitionBarProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colour = useCanvasColours(TOKENS);
  const [pointed, setPointed] = useState(-1);
  const anchor = useRef(-1);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(HEIGHT * ratio);
    context.scale(ratio, ratio);
    context.fillStyle = colour.sunken;
    context.fillRect(0, 0, width, HEIGHT);
    for (const column of columns(ranges, 0, total, width)) {
      let top = 0;
      for (const [share, fill] of [
        [column.failed, colour.bad],
        [column.materializing, colour.busy],
        [column.materialized, colour.good],
      ] as const) {
        context.fillStyle = fill;
        context.fillRect(column.left, top, Math.max(column.width, 0.5), share * HEIGHT);
        top += share * HEIGHT;
      }
    }
    if (width / total >= 8) {
      context.fillStyle = colour.surface;
      for (let index = 1; index < total; index++) context.fillRect((index / total) * width - 0.5, 0, 1, HEIGHT);
    }
  }, [ranges, total, width, colour]);

  const indexOf = (event: PointerEvent) => {
    return indexAt(event.clientX - event.currentTarget.getBoundingClientRect().left, 0, total, width);
  };
  const stretch = (a: number, b: number) => onChoose?.([Math.min(a, b), Math.max(a, b)]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape" && chosen) onChoose?.(undefined);
    else if (event.key === "Home") setPointed(0);
    else if (event.key === "End") setPointed(total - 1);
    else if (step !== 0) {
      const next = Math.min(total - 1, Math.max(0, (pointed < 0 ? (chosen?.[0] ?? 0) - step : pointed) + step));
      setPointed(next);
      if (event.shiftKey && chosen) stretch(anchor.current, next);
      else {
        anchor.current = next;
        stretch(next, next);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const counts = countStatuses(ranges, total);
  const said =
    pointed >= 0 && pointed < total ? `${keyOf(pointed)}: ${statusLook(statusAt(ranges, pointed)).label}` : undefined;
  return (
    <div className={css.frame}>
      <div
        ref={ref}
        className={css.bar}
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys choose a partition, with Shift a stretch.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, total - 1)}
        aria-valuenow={Math.max(0, pointed)}
        aria-valuetext={said ?? `${counts.MATERIALIZED} of ${total} materialized, ${counts.FAILED} failed`}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0 || !onChoose) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          anchor.current = indexOf(event);
          stretch(anchor.current, anchor.current);
        }}
        onPointerMove={(event) => {
          const index = indexOf(event);
          setPointed(index);
          if (event.currentTarget.hasPointerCapture(event.pointerId)) stretch(anchor.current, index);
        }}
        onPointerLeave={() => setPointed(-1)}
      >
        <canvas ref={canvas} className={css.canvas} aria-hidden="true" />
        {chosen && total > 0 ? (
          <span
            className={css.chosen}
            style={{ left: `${(chosen[0] / total) * 100}%`, width: `${((chosen[1] - chosen[0] + 1) / total) * 100}%` }}
          />
        ) : null}
      </div>
      <div className={css.ends} aria-hidden="true">
        <span>{total > 0 ? keyOf(0) : ""}</span>
        <span className={css.said}>{said}</span>
        <span>{total > 1 ? keyOf(total - 1) : ""}</span>
      </div>
    </div>
  );
}
