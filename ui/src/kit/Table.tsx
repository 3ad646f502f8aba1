/**
 * A table of rows that can be opened, walked with j and k, sorted, and selected. Real table semantics; of many rows,
 * those in sight are drawn.
 */
import { type KeyboardEvent, type MouseEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";

import { useGo } from "../services/navigation";
import { useShortcuts } from "../services/shortcuts";
import { cx } from "./cx";
import { Icon } from "./Icon";
import css from "./Table.module.css";
import { leastWidth } from "./table.model";
import { useNarrow } from "./useNarrow";
import { useRowsInSight } from "./useRowsInSight";

export interface Column<Row> {
  id: string;
  label: string;
  render: (row: Row) => ReactNode;
  /** CSS width in px or per cent; without one the column takes what is left. */
  width?: string;
  /** Least px of a column without a width: a narrower window scrolls the table sideways. */
  least?: number;
  align?: "right";
  /** Makes the column sortable; null values come last. */
  sortBy?: (row: Row) => string | number | null;
  /** The heading is only read aloud. */
  hideLabel?: boolean;
  /** Told whole, in several lines if need be: for short tables, whose rows need not be of one height. */
  wraps?: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Where a row leads: a click anywhere on it, or Enter. */
  rowLink?: (row: Row) => string;
  onRow?: (row: Row) => void;
  /** Keys of the selected rows; with `onSelect` rows get a checkbox. */
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  /** Older rows are being replaced. */
  stale?: boolean;
}

const BOX_PX = 48;

type Sort = { id: string; descending: boolean } | null;

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, rowKey, rowLink, onRow, selected, onSelect, stale = false } = props;
  const [sort, setSort] = useState<Sort>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const go = useGo();
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const { from, to, above, below, look } = useRowsInSight(body, sorted.length);
  const opens = rowLink !== undefined || onRow !== undefined;

  const open = (row: Row) => (onRow === undefined ? rowLink && go(rowLink(row)) : onRow(row));
  const move = (step: number) => {
    flushSync(look); // the last step may have scrolled, and a key that is held down does not wait for that
    const lines = [...(body.current?.querySelectorAll<HTMLTableRowElement>("tr[tabindex]") ?? [])];
    const at = lines.indexOf(document.activeElement as HTMLTableRowElement);
    lines[Math.min(lines.length - 1, Math.max(0, at + step))]?.focus();
  };
  useShortcuts(opens || onSelect !== undefined ? { j: () => move(1), k: () => move(-1) } : {});

  const toggle = (key: string) => {
    if (onSelect === undefined) return;
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  };
  const onKeyDown = (event: KeyboardEvent, row: Row) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") open(row);
    else if (event.key === "x") toggle(rowKey(row));
    else if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent, row: Row) => {
    if ((event.target as Element).closest("a, button, input, label, summary") !== null) return;
    if (window.getSelection()?.isCollapsed === false) return;
    if (event.metaKey || event.ctrlKey) {
      if (rowLink !== undefined) window.open(document.baseURI + rowLink(row).slice(1), "_blank");
    } else open(row);
  };

  const allSelected = onSelect !== undefined && rows.length > 0 && rows.every((row) => selected?.has(rowKey(row)));
  const minWidth = leastWidth(columns, onSelect === undefined ? 0 : BOX_PX);
  const scrollsSideways = useNarrow();
  return (
    <div className={css.place} tabIndex={scrollsSideways ? 0 : undefined}>
      <table
        className={cx(css.table, stale && css.stale)}
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        style={{ minWidth }}
      >
        <thead>
          <tr>
            {onSelect === undefined ? null : (
              <th className={css.box}>
                <input
                  type="checkbox"
                  aria-label="Select all rows"
                  checked={allSelected}
                  onChange={() => onSelect(allSelected ? new Set() : new Set(rows.map(rowKey)))}
                />
              </th>
            )}
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} onSort={setSort} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Unseen height={above} />
          {sorted.slice(from, to).map((row, place) => {
            const key = rowKey(row);
            const isSelected = selected?.has(key) ?? false;
            return (
              <tr
                key={key}
                aria-rowindex={from + place + 2}
                tabIndex={opens || onSelect !== undefined ? -1 : undefined}
                className={cx(opens && css.opens, isSelected && css.selected)}
                onClick={opens ? (event) => onClick(event, row) : undefined}
                onKeyDown={(event) => onKeyDown(event, row)}
              >
                {onSelect === undefined ? null : (
                  <td className={css.box}>
                    <input type="checkbox" aria-label={`Select ${key}`} checked={isSelected} onChange={() => toggle(key)} />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.id} className={cx(column.align === "right" && css.right, column.wraps && css.wraps)}>
                    {column.render(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          <Unseen height={below} />
        </tbody>
      </table>
    </div>
  );
}

/** The place of rows that are out of sight, in px. */
function Unseen({ height }: { height: number }) {
  return height === 0 ? null : <tr aria-hidden="true" style={{ height }} />;
}

interface HeadingProps<Row> {
  column: Column<Row>;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

function Heading<Row>({ column, sort, onSort }: HeadingProps<Row>) {
  const active = sort?.id === column.id ? sort : null;
  const style = column.width === undefined ? undefined : { width: column.width };
  const alignment = cx(column.align === "right" && css.right);
  if (column.sortBy === undefined) {
    return (
      <th scope="col" style={style} className={alignment}>
        {column.hideLabel ? <span className={css.unseen}>{column.label}</span> : column.label}
      </th>
    );
  }
  const next = active === null ? { id: column.id, descending: false } : active.descending ? null : { ...active, descending: true };
  const direction = active === null ? "none" : active.descending ? "descending" : "ascending";
  return (
    <th scope="col" style={style} className={alignment} aria-sort={direction}>
      <button type="button" className={css.sort} onClick={() => onSort(next)}>
        {column.label}
        {active === null ? null : <Icon name="chevronDown" size={12} className={cx(!active.descending && css.up)} />}
      </button>
    </th>
  );
}

function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort): readonly Row[] {
  const value = columns.find((column) => column.id === sort?.id)?.sortBy;
  if (sort === null || value === undefined) return rows;
  const sign = sort.descending ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return sign * (typeof a === "string" ? a.localeCompare(String(b), "en", { numeric: true }) : a - Number(b));
  });
}
