/** Every schedule and sensor, runs that are planned, what lost its code, and what people did. */
import { useRef } from "react";

import css from "../../automation/automation.module.css";
import { isPaused } from "../../automation/override.model";
import { intervalText, sensorKind } from "../../automation/ticks.model";
import { TickStrip } from "../../automation/TickStrip";
import { type AutomationKind, useSwitch } from "../../automation/useSwitch";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { type Column, Table } from "../../kit/Table";
import { Tabs } from "../../kit/Tabs";
import { TextInput } from "../../kit/TextInput";
import { Time, useNow } from "../../kit/Time";
import { Toggle } from "../../kit/Toggle";
import { links } from "../../links";
import { AUTOMATION_LIST, AUTOMATION_TOPICS } from "../../services/automation";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import type { AutomationListQuery } from "../../services/schema.gen";
import { useShortcuts } from "../../services/shortcuts";
import { AllActs } from "./AllActs";
import { OneOffs } from "./OneOffs";
import { WithoutCode } from "./WithoutCode";

type Node = Extract<
  AutomationListQuery["repositoriesOrError"],
  { __typename: "RepositoryConnection" }
>["nodes"][number];
type State = Node["schedules"][number]["scheduleState"];

interface Row {
  kind: AutomationKind;
  /** The kind in words, of a sensor also what it looks at. */
  sort: string;
  location: string;
  name: string;
  description: string | null;
  when: string;
  zone: string | null;
  jobs: string[];
  state: State;
}

function rowsOf({ location: { name: location }, schedules, sensors }: Node): Row[] {
  return [
    ...schedules.map((schedule): Row => ({
      kind: "schedule",
      sort: "schedule",
      location,
      name: schedule.name,
      description: schedule.description,
      when: schedule.scheduleState.override?.cronSchedule.join(" | ") || schedule.cronDescription,
      zone: schedule.scheduleState.override?.executionTimezone ?? schedule.executionTimezone,
      jobs: [schedule.pipelineName],
      state: schedule.scheduleState,
    })),
    ...sensors.map((sensor): Row => ({
      kind: "sensor",
      sort: sensorKind(sensor.sensorType),
      location,
      name: sensor.name,
      description: sensor.description,
      when: intervalText(sensor.sensorState.override?.intervalSeconds ?? sensor.minIntervalSeconds),
      zone: null,
      jobs: sensor.targets.map((target) => target.pipelineName),
      state: sensor.sensorState,
    })),
  ];
}

const linkOf = (row: Row) => (row.kind === "schedule" ? links.schedule : links.sensor)(row.location, row.name);

const columns: readonly Column<Row>[] = [
  { id: "on", label: "On", width: "80px", render: (row) => <RowSwitch row={row} /> },
  {
    id: "name",
    label: "Name",
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
  {
    id: "kind",
    label: "Kind",
    width: "130px",
    sortBy: (row) => row.sort,
    render: (row) => capitalized(row.sort),
  },
  {
    id: "when",
    label: "When",
    width: "19%",
    render: (row) => (
      <>
        {row.when}
        {row.state.override === null ? null : (
          <>
            {" "}
            <Chip title="An override holds in place of the code">overridden</Chip>
          </>
        )}
        {row.zone ? <span className={css.about}>{row.zone}</span> : null}
      </>
    ),
  },
  {
    id: "jobs",
    label: "Starts",
    width: "15%",
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
  { id: "ticks", label: "Latest ticks", width: "120px", render: (row) => <TickStrip ticks={row.state.ticks} /> },
  {
    id: "next",
    label: "Next",
    width: "110px",
    sortBy: (row) => row.state.nextTick?.timestamp ?? null,
    render: (row) => <Next row={row} />,
  },
];

const capitalized = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

function Next({ row: { state } }: { row: Row }) {
  const now = useNow();
  if (state.status !== "RUNNING") return <>–</>;
  if (state.heldBack !== null) return <span title={state.heldBack}>held back</span>;
  if (isPaused(state.override, now)) return <span title="Paused by an override">paused</span>;
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

const TABS = [
  { id: "all", label: "Schedules and sensors" },
  { id: "once", label: "Runs at a time" },
  { id: "nocode", label: "Without code" },
  { id: "acts", label: "What people did" },
];

export default function AutomationPage() {
  const [{ tab = "all" }, change] = useSearchState();
  return (
    <Page title="Automation">
      <Tabs
        label="Automation"
        items={TABS}
        selected={tab}
        onSelect={(id) => change({ tab: id === "all" ? "" : id, q: "" }, { replace: false })}
      >
        {tab === "once" ? <OneOffs /> : tab === "nocode" ? <WithoutCode /> : tab === "acts" ? <AllActs /> : <Instigators />}
      </Tabs>
    </Page>
  );
}

function Instigators() {
  const answer = useData(AUTOMATION_LIST, {}, { live: AUTOMATION_TOPICS });
  const [{ q = "" }, setSearch] = useSearchState();
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ f: () => input.current?.focus() });
  const found = answer.data?.repositoriesOrError;
  const rows = found?.__typename === "RepositoryConnection" ? found.nodes.flatMap(rowsOf) : [];
  const shown = rows.filter((row) => `${row.name} ${row.jobs.join(" ")}`.toLowerCase().includes(q.toLowerCase()));
  const error =
    answer.error ?? (found && found.__typename !== "RepositoryConnection" ? new Error(found.message) : null);
  return (
    <>
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
        {rows.length > 0 ? (
          <span className={css.quiet}>
            {rows.filter((row) => row.state.status === "RUNNING").length} of {rows.length} on
          </span>
        ) : null}
      </div>
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
          {rows.length} schedules and sensors are hidden by the search.
        </Empty>
      ) : (
        <Table
          label="Schedules and sensors"
          columns={columns}
          rows={shown}
          rowKey={(row) => `${row.kind} ${row.location}/${row.name}`}
          rowLink={linkOf}
        />
      )}
    </>
  );
}
