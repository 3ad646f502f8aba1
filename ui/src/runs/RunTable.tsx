/** A table of runs, as it stands on every page that lists some. */
import { type Column, Table } from "../kit/Table";
import { Link } from "../kit/Link";
import { StatusTag } from "../kit/StatusTag";
import { Duration, Time } from "../kit/Time";
import { links } from "../links";
import { shortId, targetOf } from "../services/run.model";
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

const COLUMNS: readonly Column<RunRow>[] = [
  { id: "status", label: "Status", width: "118px", render: (run) => <StatusTag status={run.status} />, sortBy: (run) => run.status },
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
  { id: "target", label: "Target", render: (run) => <Target run={run} />, sortBy: targetOf },
  {
    id: "partition",
    label: "Partition",
    width: "104px",
    render: (run) => run.partition ?? "",
    sortBy: (run) => run.partition,
  },
  { id: "origin", label: "Launched by", width: "15%", render: (run) => <Origin run={run} /> },
  { id: "note", label: "Note", width: "20%", render: (run) => <Note run={run} /> },
  {
    id: "created",
    label: "Created",
    width: "112px",
    render: (run) => <Time at={run.creationTime} />,
    sortBy: (run) => run.creationTime,
  },
  {
    id: "duration",
    label: "Duration",
    width: "108px",
    align: "right",
    render: (run) => <Duration from={run.startTime} to={run.endTime} />,
    sortBy: (run) => (run.startTime === null ? null : (run.endTime ?? Date.now() / 1000) - run.startTime),
  },
];

export function RunTable({ runs, label = "Runs", ...selection }: RunTableProps) {
  return (
    <Table
      label={label}
      columns={COLUMNS}
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
