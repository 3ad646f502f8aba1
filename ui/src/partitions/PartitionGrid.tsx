/** Partitions of several dimensions, two of them as rows and columns. Cells are chosen by dragging, by row, column or key. */
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";

import { useCanvasColours } from "../kit/canvasColours";
import css from "./PartitionGrid.module.css";
import type { StatusRange } from "./partitionBar.model";
import { type Box, boxOf, cellText, type Cells, countCells, type Dimension, indexUnder, sharesOf, spanned } from "./partitionGrid.model";
import { SelectInput } from "../kit/TextInput";
import { useWidth } from "../kit/useWidth";

interface PartitionGridProps {
  label: string;
  /** In the order in which they make up a key. */
  dimensions: readonly Dimension[];
  ranges: readonly StatusRange[];
  chosen: Box | undefined;
  onChoose: (box: Box | undefined) => void;
}

type Place = readonly [row: number, column: number];

const ROW_PX = 24;
/** With more rows than this they have no names, and share a height. */
const NAMED_ROWS = 60;
const SHARED_PX = 720;
const HEAD_PX = 26;
/** Room that the name of a column takes. */
const NAME_PX = 84;
const TOKENS = ["sunken", "good", "bad", "busy"] as const;

export function PartitionGrid({ label, dimensions, ranges, chosen, onChoose }: PartitionGridProps) {
  const primary = Math.max(0, dimensions.findIndex(({ isPrimary }) => isPrimary));
  const [axes, setAxes] = useState<{ row: number; column: number }>({ row: primary === 0 ? 1 : 0, column: primary });
  const [narrowed, setNarrowed] = useState<ReadonlyMap<number, number>>(new Map());
  const { row, column } = axes;
  const others = [...dimensions.keys()].filter((place) => place !== row && place !== column);
  const box = useMemo(
    () => boxOf(dimensions, new Map([...narrowed].filter(([place]) => place !== row && place !== column))),
    [dimensions, narrowed, row, column],
  );
  const cells = useMemo(() => countCells(dimensions, ranges, row, column, box), [dimensions, ranges, row, column, box]);

  const turn = (axis: "row" | "column", place: number) => {
    const other = axis === "row" ? "column" : "row";
    setAxes({ ...axes, [axis]: place, [other]: axes[other] === place ? axes[axis] : axes[other] });
    onChoose(undefined);
  };
  const narrow = (place: number, index: string) => {
    const next = new Map(narrowed);
    if (index === "") next.delete(place);
    else next.set(place, Number(index));
    setNarrowed(next);
    onChoose(undefined);
  };
  const axis = (name: string, value: number, onChange: (place: number) => void) => (
    <SelectInput
      label={name}
      value={String(value)}
      options={dimensions.map((each, place) => ({ value: String(place), label: each.name }))}
      onChange={(place) => onChange(Number(place))}
    />
  );
  return (
    <div className={css.frame}>
      <div className={css.axes}>
        {axis("Rows", row, (place) => turn("row", place))}
        {axis("Columns", column, (place) => turn("column", place))}
        {others.map((place) => (
          <SelectInput
            key={place}
            label={dimensions[place]!.name}
            value={String(narrowed.get(place) ?? "")}
            options={[{ value: "", label: "All" }, ...dimensions[place]!.keys.map((key, index) => ({ value: String(index), label: key }))]}
            onChange={(index) => narrow(place, index)}
          />
        ))}
      </div>
      <Grid
        key={`${row} ${column}`}
        label={label}
        rowKeys={dimensions[row]!.keys}
        columnKeys={dimensions[column]!.keys}
        cells={cells}
        chosen={chosen && [chosen[row]!, chosen[column]!]}
        onChoose={(from, to) => onChoose(from && to && spanned(box, row, column, from, to))}
      />
    </div>
  );
}

interface GridProps {
  label: string;
  rowKeys: readonly string[];
  columnKeys: readonly string[];
  cells: Cells;
  /** First and last row, first and last column. */
  chosen: readonly [rows: readonly [number, number], columns: readonly [number, number]] | undefined;
  onChoose: (from: Place | undefined, to?: Place) => void;
}

function Grid({ label, rowKeys, columnKeys, cells, chosen, onChoose }: GridProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colour = useCanvasColours(TOKENS);
  const [pointed, setPointed] = useState<Place>();
  const anchor = useRef<Place>([0, 0]);
  const { rows, columns } = cells;
  const isNamed = rows <= NAMED_ROWS;
  const height = isNamed ? rows * ROW_PX : Math.max(2, Math.floor(SHARED_PX / rows)) * rows;

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    const drawn = Math.min(columns, Math.ceil(width)); // no more than there are pixels
    const [cellWidth, cellHeight] = [width / drawn, height / rows];
    const gap = cellWidth >= 6 && cellHeight >= 6 ? 1 : 0;
    const paint = (y: number, x: number, from: number, to: number, fill: string) => {
      if (to <= from) return;
      context.fillStyle = fill;
      const inner = cellHeight - gap;
      context.fillRect(x * cellWidth, y * cellHeight + from * inner, cellWidth - gap, (to - from) * inner);
    };
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < drawn; x++) {
        const share = sharesOf(cells, y, Math.floor((x * columns) / drawn), Math.floor(((x + 1) * columns) / drawn));
        const busy = share.failed + share.materializing;
        const good = busy + share.materialized;
        paint(y, x, good, 1, colour.sunken);
        paint(y, x, busy, good, colour.good);
        paint(y, x, share.failed, busy, colour.busy);
        paint(y, x, 0, share.failed, colour.bad);
      }
    }
  }, [cells, rows, columns, width, height, colour]);

  const placeOf = (event: PointerEvent): Place => {
    const area = event.currentTarget.getBoundingClientRect();
    return [indexUnder(event.clientY - area.top, rows, height), indexUnder(event.clientX - area.left, columns, width)];
  };
  const choose = (from: Place, to: Place) => {
    setPointed(to);
    onChoose(from, to);
  };
  const pointer = (widen: (place: Place, isEnd: boolean) => Place) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const place = placeOf(event);
      if (!event.shiftKey) anchor.current = widen(place, false);
      choose(anchor.current, widen(place, true));
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const place = placeOf(event);
      setPointed(place);
      if (event.currentTarget.hasPointerCapture(event.pointerId)) onChoose(anchor.current, widen(place, true));
    },
    onPointerLeave: () => setPointed(undefined),
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const [y, x] = pointed ?? [chosen?.[0][1] ?? 0, chosen?.[1][1] ?? 0];
    const move: Record<string, Place> = {
      ArrowLeft: [y, Math.max(0, x - 1)],
      ArrowRight: [y, Math.min(columns - 1, x + 1)],
      ArrowUp: [Math.max(0, y - 1), x],
      ArrowDown: [Math.min(rows - 1, y + 1), x],
      Home: [y, 0],
      End: [y, columns - 1],
    };
    const to = move[event.key];
    if (to) {
      if (!event.shiftKey || chosen === undefined) anchor.current = to;
      choose(anchor.current, to);
    } else if (event.key === "r") choose([y, 0], [y, columns - 1]);
    else if (event.key === "c") choose([0, x], [rows - 1, x]);
    else if (event.key === "Escape" && chosen) onChoose(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const said = pointed && `${rowKeys[pointed[0]]} · ${columnKeys[pointed[1]]}: ${cellText(cells, pointed[0], pointed[1])}`;
  const every = Math.max(1, Math.ceil(NAME_PX / (width / columns)));
  return (
    <>
      <div className={css.grid}>
        {isNamed ? (
          <ol className={css.rows} style={{ paddingTop: HEAD_PX }}>
            {rowKeys.slice(0, rows).map((key, y) => (
              <li key={key}>
                <button
                  type="button"
                  className={css.row}
                  style={{ height: ROW_PX }}
                  title={`Choose the row ${key}`}
                  onClick={(event) => {
                    if (!event.shiftKey) anchor.current = [y, 0];
                    choose(anchor.current, [y, columns - 1]);
                  }}
                >
                  {key}
                </button>
              </li>
            ))}
          </ol>
        ) : null}
        <div className={css.area}>
          <div
            className={css.head}
            style={{ height: HEAD_PX }}
            title="Choose columns"
            aria-hidden="true"
            {...pointer(([, x], isEnd) => [isEnd ? rows - 1 : 0, x])}
          >
            {columnKeys.slice(0, columns).map((key, x) =>
              x % every === 0 && (x + every <= columns || every === 1) ? (
                <span key={key} className={css.name} style={{ left: `${(x / columns) * 100}%` }}>
                  {key}
                </span>
              ) : null,
            )}
          </div>
          <div
            ref={ref}
            className={css.cells}
            style={{ height }}
            role="application"
            tabIndex={0}
            aria-label={`${label} as a grid. Arrow keys choose a cell, with Shift several; r its row, c its column.`}
            onKeyDown={onKeyDown}
            {...pointer((place) => place)}
          >
            <canvas ref={canvas} className={css.canvas} aria-hidden="true" />
            {chosen ? (
              <span
                className={css.chosen}
                style={{
                  top: `${(chosen[0][0] / rows) * 100}%`,
                  height: `${((chosen[0][1] - chosen[0][0] + 1) / rows) * 100}%`,
                  left: `${(chosen[1][0] / columns) * 100}%`,
                  width: `${((chosen[1][1] - chosen[1][0] + 1) / columns) * 100}%`,
                }}
              />
            ) : null}
          </div>
        </div>
      </div>
      <p className={css.said} role="status">
        {said}
      </p>
    </>
  );
}
