/** Every schedule and sensor: its switch, when it is evaluated, what became of its latest ticks, and all that for several at once. */
import { useRef, useState } from "react";

import css from "../../automation/automation.module.css";
import { isPaused } from "../../automation/override.model";
import { TickStrip } from "../../automation/TickStrip";
import { useSwitch } from "../../automation/useSwitch";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { type Column, Table } from "../../kit/Table";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { Time, useNow, useTimeStyle } from "../../kit/Time";
import { Toggle } from "../../kit/Toggle";
import { links } from "../../links";
import { AUTOMATION_LIST, AUTOMATION_TOPICS } from "../../services/automation";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { useShortcuts } from "../../services/shortcuts";
import { longTime } from "../../services/time.model";
import { Bulk } from "./Bulk";
import { asked, keyOf, type Row, rowsOf, standings } from "./instigators.model";

const linkOf = (row: Row) => (row.kind === "schedule" ? links.schedule : links.sensor)(row.location, row.name);

const columns: readonly Column<Row>[] = [
  { id: "on", label: "On", width: "60px", render: (row) => <RowSwitch row={row} /> },
  {
    id: "name",
    label: "Name",
    least: 180,
    sortBy: (row) => row.name,
    render: (row) => (
      <>
        <Link bare to={linkOf(row)} className={css.name ?? ""}>
          {row.name}
        </Link>
        <span className={css.about}>{row.description?.split("\n")[0]}</span>
      </>
    ),
  },
  { id: "kind", label: "Kind", width: "136px", sortBy: (row) => row.sort, render: (row) => row.sort },
  {
    id: "when",
    label: "When",
    width: "26%",
    render: (row) => (
      <span title={row.zone ? `${row.when}, ${row.zone}` : row.when}>
        {row.state.override === null ? null : (
          <>
            <Chip title="An override holds in place of the code">overridden</Chip>{" "}
          </>
        )}
        {row.when}
        {row.zone ? <span className={css.about}>{row.zone}</span> : null}
      </span>
    ),
  },
  {
    id: "jobs",
    label: "Starts",
    width: "12%",
    render: (row) =>
      row.jobs.map((job) =>
        job.startsWith("__") ? (
          <span key={job}>assets</span>
        ) : (
          <Link key={job} to={links.job(row.location, job)}>
            {job}{" "}
          </Link>
        ),
      ),
  },
  { id: "ticks", label: "Latest ticks", width: "112px", render: (row) => <TickStrip ticks={row.state.ticks} /> },
  {
    id: "next",
    label: "Next",
    width: "100px",
    sortBy: (row) => row.state.nextTick?.timestamp ?? null,
    render: (row) => <Next row={row} />,
  },
];

function Next({ row: { state, onEvents } }: { row: Row }) {
  const now = useNow();
  const style = useTimeStyle();
  if (state.status !== "RUNNING") return <>–</>;
  if (state.heldBack !== null) return <span title={state.heldBack}>held back</span>;
  if (isPaused(state.override, now)) {
    const until = `Paused until ${longTime(state.override?.pausedUntil ?? 0, style)}`;
    return <span title={[until, state.override?.reason].filter(Boolean).join(": ")}>paused</span>;
  }
  if (state.nextTick === null && onEvents) return <span className={css.quiet}>on events</span>;
  return <Time relative at={state.nextTick?.timestamp} />;
}

function RowSwitch({ row }: { row: Row }) {
  const control = useSwitch(row.kind, row.location);
  return (
    <Toggle
      label={`${row.name} is on`}
      hideLabel
      isOn={row.state.status === "RUNNING"}
      isDisabled={control.isBusy}
      onChange={(on) => control.turn(row.name, on)}
    />
  );
}

export function Instigators() {
  const answer = useData(AUTOMATION_LIST, {}, { live: AUTOMATION_TOPICS });
  const [search] = useSearchState();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const now = useNow(false);
  const found = answer.data?.repositoriesOrError;
  const rows = found?.__typename === "RepositoryConnection" ? found.nodes.flatMap(rowsOf) : [];
  const shown = asked(rows, search, now);
  const chosen = shown.filter((row) => selected.has(keyOf(row)));
  const error =
    answer.error ?? (found && found.__typename !== "RepositoryConnection" ? new Error(found.message) : null);
  return (
    <>
      <Filters rows={rows} now={now} />
      {error ? (
        <Failure error={error} title="Schedules and sensors could not be read." onRetry={() => void answer.refetch()} />
      ) : answer.isPending ? (
        <Skeleton rows={8} />
      ) : rows.length === 0 ? (
        <Empty title="Nothing is automated yet" icon="automation">
          A schedule starts a job by the clock, a sensor when something happens. Decorate a function with{" "}
          <code>@schedule</code> or <code>@sensor</code> and add it to your <code>Definitions</code>.
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="None fits" icon="search">
          {rows.length} schedules and sensors are hidden by what is asked for above.
        </Empty>
      ) : (
        <>
          {chosen.length > 0 ? <Bulk rows={chosen} onDone={() => setSelected(new Set())} /> : null}
          <Table
            label="Schedules and sensors"
            columns={columns}
            rows={shown}
            rowKey={keyOf}
            rowLink={linkOf}
            selected={selected}
            onSelect={setSelected}
          />
        </>
      )}
    </>
  );
}

function Filters({ rows, now }: { rows: readonly Row[]; now: number }) {
  const [{ q = "", show = "", location = "" }, setSearch] = useSearchState();
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ f: () => input.current?.focus() });
  const locations = [...new Set([...rows.map((row) => row.location), location])].filter(Boolean);
  const choices = standings(asked(rows, { q, location }, now), now);
  return (
    <div className={css.filters} role="search">
      <TextInput
        label="Find schedules and sensors"
        hideLabel
        ref={input}
        icon="search"
        placeholder="Find schedules and sensors"
        className={css.search ?? ""}
        value={q}
        onChange={(value) => setSearch({ q: value })}
      />
      <SelectInput
        label="Which of them"
        hideLabel
        value={show}
        onChange={(value) => setSearch({ show: value })}
        options={[
          { value: "", label: "All" },
          ...choices,
          ...(show === "" || choices.some(({ value }) => value === show) ? [] : [{ value: show, label: `${show} (0)` }]),
        ]}
      />
      {locations.length > 1 || location !== "" ? (
        <SelectInput
          label="Location"
          hideLabel
          value={location}
          onChange={(value) => setSearch({ location: value })}
          options={[{ value: "", label: "Any location" }, ...locations.map((name) => ({ value: name, label: name }))]}
        />
      ) : null}
      {rows.length > 0 ? (
        <span className={css.quiet}>
          {rows.filter((row) => row.state.status === "RUNNING").length} of {rows.length} on
        </span>
      ) : null}
    </div>
  );
}
