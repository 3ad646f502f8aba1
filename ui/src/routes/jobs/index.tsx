/** Every job: what starts it, and how its latest runs went. */
import { useRef } from "react";

import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusDot } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { Duration, Time } from "../../kit/Time";
import { links } from "../../links";
import { useData } from "../../services/data";
import { JOB_LIST } from "../../services/jobs";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import type { JobListQuery } from "../../services/schema.gen";
import { useShortcuts } from "../../services/shortcuts";
import css from "./jobs.module.css";

type Node = Extract<JobListQuery["repositoriesOrError"], { __typename: "RepositoryConnection" }>["nodes"][number];
type Row = Node["jobs"][number] & { location: string };

const columns: readonly Column<Row>[] = [
  {
    id: "job",
    label: "Job",
    sortBy: (job) => job.name,
    render: (job) => (
      <>
        <Link bare className={css.name ?? ""} to={links.job(job.location, job.name)}>
          {job.name}
        </Link>{" "}
        {job.isAssetJob ? (
          <Chip>{job.assetKeys.length === 1 ? "1 asset" : `${job.assetKeys.length} assets`}</Chip>
        ) : null}{" "}
        {job.isPartitioned ? <Chip>partitioned</Chip> : null}
        <span className={css.about}>{job.description?.split("\n")[0]}</span>
      </>
    ),
  },
  { id: "location", label: "Location", width: "14%", sortBy: (job) => job.location, render: (job) => job.location },
  {
    id: "automation",
    label: "Started by",
    width: "22%",
    render: (job) => (
      <span className={css.starts} title={[...job.schedules, ...job.sensors].map(({ name }) => name).join(", ")}>
        {job.schedules.map((schedule) => (
          <Link key={schedule.name} to={links.schedule(job.location, schedule.name)} title={schedule.cronDescription}>
            <StatusDot status={schedule.scheduleState.status} /> {schedule.name}
          </Link>
        ))}
        {job.sensors.map((sensor) => (
          <Link key={sensor.name} to={links.sensor(job.location, sensor.name)}>
            <StatusDot status={sensor.sensorState.status} /> {sensor.name}
          </Link>
        ))}
      </span>
    ),
  },
  {
    id: "runs",
    label: "Latest runs",
    width: "130px",
    render: (job) => (
      <span className={css.dots}>
        {job.runs.toReversed().map((run) => (
          <Link key={run.runId} bare to={links.run(run.runId)} aria-label={`Run ${shortId(run.runId)}`}>
            <StatusDot status={run.status} />
          </Link>
        ))}
      </span>
    ),
  },
  {
    id: "last",
    label: "Last run",
    width: "130px",
    sortBy: (job) => job.runs[0]?.creationTime ?? null,
    render: (job) => <Time relative at={job.runs[0]?.creationTime} />,
  },
  {
    id: "took",
    label: "Took",
    width: "100px",
    align: "right",
    render: ({ runs: [run] }) => (run ? <Duration from={run.startTime} to={run.endTime} /> : "–"),
  },
];

export default function JobsPage() {
  const answer = useData(JOB_LIST, {}, { live: ["runs", "locations", "instigators"] });
  const [{ q = "", location = "" }, setSearch] = useSearchState();
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ f: () => input.current?.focus() });
  const found = answer.data?.repositoriesOrError;
  const jobs: Row[] =
    found?.__typename === "RepositoryConnection"
      ? found.nodes.flatMap((node) => node.jobs.map((job) => ({ ...job, location: node.location.name })))
      : [];
  const listed = jobs.filter((job) => !job.name.startsWith("__"));
  const locations = [...new Set([...listed.map((job) => job.location), location])].filter(Boolean);
  const shown = listed.filter(
    (job) => (location === "" || job.location === location) && `${job.name} ${job.description ?? ""}`.toLowerCase().includes(q.toLowerCase()),
  );
  const error =
    answer.error ?? (found && found.__typename !== "RepositoryConnection" ? new Error(found.message) : null);
  return (
    <Page title="Jobs">
      <div className={css.filters} role="search">
        <TextInput
          label="Find jobs"
          hideLabel
          ref={input}
          icon="search"
          placeholder="Find jobs"
          className={css.search ?? ""}
          value={q}
          onChange={(value) => setSearch({ q: value })}
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
      </div>
      {error ? (
        <Failure error={error} title="The jobs could not be read." onRetry={() => void answer.refetch()} />
      ) : answer.isPending ? (
        <Skeleton rows={8} />
      ) : listed.length === 0 ? (
        <Empty title="No jobs yet" icon="jobs">
          A job is a graph of ops, or a selection of assets, that runs as one. Decorate a function with{" "}
          <code>@job</code>, or use <code>define_asset_job</code>, and add it to your <code>Definitions</code>.
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No job fits" icon="search">
          {listed.length} jobs are hidden by what is asked for above.
        </Empty>
      ) : (
        <Table
          label="Jobs"
          columns={columns}
          rows={shown}
          rowKey={(job) => `${job.location}/${job.name}`}
          rowLink={(job) => links.job(job.location, job.name)}
        />
      )}
    </Page>
  );
}
