/** Which partition of which asset stands where: a row for each asset, and the partitions of a chosen one by name. */
import { useEffect, useMemo, useRef, useState } from "react";

import { OUTCOMES, type OutcomeName } from "../../backfills/backfill.model";
import { useCanvasColours } from "../../kit/canvasColours";
import { cx } from "../../kit/cx";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Table } from "../../kit/Table";
import { SelectInput } from "../../kit/TextInput";
import { useWidth } from "../../kit/useWidth";
import { VirtualRows } from "../../kit/VirtualRows";
import { links } from "../../links";
import { BACKFILL_ASSET, BACKFILL_MATRIX, BACKFILL_TOPICS } from "../../services/backfills";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import css from "./backfill.module.css";
import { type AssetStretches, DRAWN, outcomeAt, positionsOf, stretchesOf } from "./matrix.model";

const ROW_PX = 30;
const CELL_PX = 20;
/** From this width on a cell has room for its letter. */
const LETTER_PX = 12;
const LISTED = 500;
const TOKENS = ["pressed", "good", "bad", "busy", "wait", "idle", "surface", "on-tone", "text-2"] as const;
const FILLS: Record<OutcomeName, (typeof TOKENS)[number]> = {
  materialized: "good",
  failed: "bad",
  skipped: "wait",
  canceled: "idle",
  inProgress: "busy",
  waiting: "pressed",
};

export function Matrix({ id }: { id: string }) {
  const [{ asset }, change] = useSearchState();
  const answer = useData(BACKFILL_MATRIX, { id }, { live: BACKFILL_TOPICS });
  const found = answer.data?.partitionBackfillOrError;
  const rows = useMemo(
    () => (found?.__typename === "PartitionBackfill" ? found.assetBackfillStatuses.map(stretchesOf) : []),
    [found],
  );
  const heights = useMemo(() => rows.map(() => ROW_PX), [rows]);
  if (answer.error) return <Failure error={answer.error} title="The partitions could not be read." onRetry={() => void answer.refetch()} />;
  if (!found) return <Skeleton rows={8} />;
  if (rows.length === 0) return <Empty title="Nothing was asked for" icon="backfills" />;
  const open = rows.find(({ name }) => name === asset) ?? rows[0]!;
  return (
    <div className={css.matrix}>
      <ul className={css.legend} aria-label="Letters">
        {OUTCOMES.map(({ name, word, letter, status }) => (
          <li key={name}>
            <StatusTag bare status={status} label={`${letter} ${word}`} />
          </li>
        ))}
      </ul>
      <VirtualRows
        label="Assets and their partitions"
        className={cx(css.rows)}
        heights={heights}
        render={(index) => {
          const row = rows[index]!;
          return (
            <div key={row.name} role="listitem" className={css.row} style={{ height: ROW_PX }}>
              <button
                type="button"
                className={css.asset}
                aria-current={row === open}
                title={row.name || "The job"}
                onClick={() => change({ asset: row.name })}
              >
                {row.name || "The job"}
              </button>
              <Strip row={row} />
            </div>
          );
        }}
      />
      <Partitions key={open.name} id={id} row={open} />
    </div>
  );
}

function Strip({ row }: { row: AssetStretches }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colour = useCanvasColours(TOKENS);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(CELL_PX * ratio);
    context.scale(ratio, ratio);
    const cell = Math.min(width, width / Math.max(1, row.to - row.from));
    for (const outcome of DRAWN) {
      context.fillStyle = colour[FILLS[outcome]];
      for (const stretch of row.stretches) {
        if (stretch.outcome !== outcome) continue;
        const length = (stretch.last - stretch.first + 1) * cell;
        context.fillRect((stretch.first - row.from) * cell, 0, Math.max(0.75, length), CELL_PX);
      }
    }
    if (cell < LETTER_PX) return;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = "600 11px system-ui, sans-serif";
    for (const { first, last, outcome } of row.stretches) {
      const { letter } = OUTCOMES.find(({ name }) => name === outcome)!;
      for (let position = first; position <= last; position++) {
        const x = (position - row.from) * cell;
        context.fillStyle = colour.surface;
        if (x > 0) context.fillRect(x, 0, 1, CELL_PX);
        context.fillStyle = outcome === "waiting" ? colour["text-2"] : colour["on-tone"];
        context.fillText(letter, x + Math.min(cell, 40) / 2, CELL_PX / 2 + 1);
      }
    }
  }, [row, width, colour]);
  const words = OUTCOMES.flatMap(({ name, word }) => {
    const count = row.stretches.reduce((sum, { first, last, outcome }) => sum + (outcome === name ? last - first + 1 : 0), 0);
    return count === 0 ? [] : [`${count.toLocaleString("en")} ${word}`];
  });
  return (
    <div ref={ref} className={css.strip} role="img" aria-label={words.join(", ")} title={words.join(", ")}>
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}

function Partitions({ id, row }: { id: string; row: AssetStretches }) {
  const [outcome, setOutcome] = useState<OutcomeName | "">("");
  const path = row.name.split("/");
  const isAsset = row.name !== "";
  const positions = useMemo(() => positionsOf(row.stretches, outcome, LISTED), [row, outcome]);
  const [first = 0] = positions;
  const span = (positions.at(-1) ?? first - 1) - first + 1;
  const answer = useData(
    BACKFILL_ASSET,
    { id, key: { path }, start: first, limit: span },
    { enabled: row.isPartitioned && isAsset && span > 0 },
  );
  if (!isAsset || !row.isPartitioned) return null;
  const found = answer.data?.partitionBackfillOrError;
  const keys = found?.__typename === "PartitionBackfill" ? found.assetBackfillStatus?.partitionKeys : undefined;
  if (answer.error) return <Failure error={answer.error} title="The partitions could not be read by name." />;
  const listed = positions.map((position) => {
    const { status } = OUTCOMES.find(({ name }) => name === outcomeAt(row.stretches, position))!;
    return { key: keys?.[position - first] ?? "", status };
  });
  return (
    <section className={css.partitions} aria-label={`Partitions of ${row.name}`}>
      <header className={css.partitionsHead}>
        <h2>{row.name}</h2>
        <SelectInput
          label="Outcome"
          hideLabel
          value={outcome}
          options={[{ value: "", label: "Any outcome" }, ...OUTCOMES.map(({ name, word }) => ({ value: name, label: word }))]}
          onChange={(value) => setOutcome(value as OutcomeName | "")}
        />
      </header>
      {listed.length === 0 ? (
        <Empty title="No partition fits" />
      ) : keys === undefined || answer.isPlaceholderData ? (
        <Skeleton rows={6} />
      ) : (
        <Table
          label={`Partitions of ${row.name}`}
          columns={[
            {
              id: "key",
              label: "Partition",
              render: ({ key }) => <Link to={links.asset(path, { view: "partitions", partition: key })}>{key}</Link>,
            },
            { id: "outcome", label: "Outcome", width: "45%", render: ({ status }) => <StatusTag bare status={status} /> },
          ]}
          rows={listed}
          rowKey={({ key }) => key}
        />
      )}
      {listed.length === LISTED ? <p className={css.hint}>The first {LISTED} are listed.</p> : null}
    </section>
  );
}
