/** A table of runs, as it stands on every page that lists some. */
import { useMemo } from "react";

import { type Column, Table } from "../kit/Table";
import { Link } from "../kit/Link";
import { StatusTag } from "../kit/StatusTag";
import { Duration, Time } from "../kit/Time";
import { links } from "../links";
import { partitionsOf, partitionsText, shortId, targetOf } from "../services/run.model";
import type { RunRow } from "../services/runs";
import { Origin } from "./Origin";
import css from "./runs.module.css";
import { Target } from "./Target";

interface RunTableProps {
  runs: readonly RunRow[];
  label?: string;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  stale?: boolean;
}

/** Shown only where a run has one: on most lists it would be an empty column. */
const PARTITION: Column<RunRow> = {
  id: "partition",
  label: "Partition",
  width: "14%",
  render: (run) => <span title={partitionsText(run)}>{partitionsText(run)}</span>,
  sortBy: (run) => partitionsText(run) || null,
};

const COLUMNS: readonly Column<RunRow>[] = [
  { id: "status", label: "Status", width: "112px", render: (run) => <StatusTag status={run.status} />, sortBy: (run) => run.status },
  {
    id: "id",
    label: "Run",
    width: "84px",
    render: (run) => (
      <Link className={css.id} to={links.run(run.runId)} title={run.runId}>
        {shortId(run.runId)}
      </Link>
    ),
  },
  { id: "target", label: "Target", least: 130, render: (run) => <Target run={run} />, sortBy: targetOf },
  { id: "origin", label: "Launched by", least: 130, render: (run) => <Origin run={run} /> },
  { id: "note", label: "Note", least: 110, render: (run) => <Note run={run} /> },
  {
    id: "created",
    label: "Created",
    width: "108px",
    render: (run) => <Time at={run.creationTime} />,
    sortBy: (run) => run.creationTime,
  },
  {
    id: "duration",
    label: "Duration",
    width: "96px",
    align: "right",
    render: (run) => <Duration from={run.startTime} to={run.endTime} />,
    sortBy: (run) => (run.startTime === null ? null : (run.endTime ?? Date.now() / 1000) - run.startTime),
  },
];

/** Where all runs wait, what for is what a reader wants to know, whole, and how long already. */
const OF_QUEUE: readonly Column<RunRow>[] = COLUMNS.filter(({ id }) => id !== "status").map((column): Column<RunRow> => {
  switch (column.id) {
    case "target":
      return { ...column, width: "15%" };
    case "origin":
      return { ...column, width: "12%" };
    case "note":
      return { ...column, label: "Why", least: 280, wraps: true };
    case "duration":
      return { ...column, label: "Waits", render: (run) => <Duration from={run.creationTime} to={null} />, sortBy: (run) => -run.creationTime };
    default:
      return column;
  }
});

function columnsFor(runs: readonly RunRow[]): readonly Column<RunRow>[] {
  const columns = runs.length > 0 && runs.every(({ status }) => status === "QUEUED") ? OF_QUEUE : COLUMNS;
  const found = runs.map(partitionsOf).filter((each) => each !== null);
  if (found.length === 0) return columns;
  const isRange = found.some(({ first, last }) => first !== last);
  return columns.toSpliced(columns.findIndex(({ id }) => id === "origin"), 0, isRange ? { ...PARTITION, width: "190px" } : PARTITION);
}

export function RunTable({ runs, label = "Runs", ...selection }: RunTableProps) {
  const columns = useMemo(() => columnsFor(runs), [runs]);
  return (
    <Table
      label={label}
      columns={columns}
      rows={runs}
      rowKey={(run) => run.runId}
      rowLink={(run) => links.run(run.runId)}
      {...selection}
    />
  );
}

function Note({ run }: { run: RunRow }) {
  if (run.failure !== null) {
    const text = run.failure.stepKey === null ? run.failure.message : `${run.failure.stepKey}: ${run.failure.message}`;
    return (
      <span className={css.failure} title={text}>
        {text}
      </span>
    );
  }
  return (
    <span className={css.why} title={run.note ?? undefined}>
      {run.note ?? ""}
    </span>
  );
}
