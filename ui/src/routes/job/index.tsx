/** One job: its graph, its launchpad, its runs. */
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusDot } from "../../kit/StatusTag";
import { Tabs } from "../../kit/Tabs";
import { links } from "../../links";
import { useData } from "../../services/data";
import { JOB_DETAIL } from "../../services/jobs";
import { useSearchState } from "../../services/navigation";
import { FailedTicks } from "./FailedTicks";
import type { Job } from "./jobGraph.model";
import { JobGraph } from "./JobGraph";
import { JobRuns } from "./JobRuns";

/** The editor is the largest part of all pages: it comes when it is wanted. */
const Launchpad = lazy(() => import("../../launchpad/Launchpad"));

const TABS = [
  { id: "graph", label: "Graph" },
  { id: "launch", label: "Launchpad" },
  { id: "runs", label: "Runs" },
];

export default function JobPage() {
  const { location = "", job = "" } = useParams({ strict: false }) as { location?: string; job?: string };
  return <JobView key={`${location}/${job}`} location={location} name={job} />;
}

function JobView({ location, name }: { location: string; name: string }) {
  const [{ tab = "graph" }, setSearch] = useSearchState();
  const selector = { repositoryLocationName: location, pipelineName: name };
  const answer = useData(JOB_DETAIL, { selector }, { live: ["locations", "instigators"] });
  const found = answer.data?.pipelineOrError;
  const job = found?.__typename === "Pipeline" ? found : undefined;
  return (
    <Page
      title={name}
      crumbs={[
        { label: "Jobs", to: links.jobs() },
        { label: location, to: links.deployment() },
      ]}
      under={job ? <Under job={job} location={location} /> : undefined}
      fill={tab !== "runs"}
    >
      {answer.error ? (
        <Failure error={answer.error} title="The job could not be read." onRetry={() => void answer.refetch()} />
      ) : !found ? (
        <Skeleton rows={10} />
      ) : !job ? (
        <Empty title="No such job" icon="jobs" action={<Link to={links.jobs()}>All jobs</Link>}>
          {"message" in found ? found.message : null}
        </Empty>
      ) : (
        <Tabs
          label="Job"
          items={TABS}
          selected={tab}
          onSelect={(id) => setSearch({ tab: id === "graph" ? undefined : id })}
          fill={tab !== "runs"}
        >
          {tab === "launch" ? (
            <Suspense fallback={<Skeleton rows={12} />}>
              <Launchpad location={location} job={name} />
            </Suspense>
          ) : tab === "runs" ? (
            <>
              <FailedTicks location={location} name={name} />
              <JobRuns location={location} name={name} steps={job.steps} />
            </>
          ) : (
            <JobGraph job={job} />
          )}
        </Tabs>
      )}
    </Page>
  );
}

function Under({ job, location }: { job: Job; location: string }) {
  return (
    <>
      {job.description ? <span>{job.description.split("\n")[0]}</span> : null}
      {job.schedules.map((schedule) => (
        <Link key={schedule.name} to={links.schedule(location, schedule.name)}>
          <StatusDot status={schedule.scheduleState.status} /> {schedule.name}: {schedule.scheduleState.override?.cronDescription ?? schedule.cronDescription}
        </Link>
      ))}
      {job.sensors.map((sensor) => (
        <Link key={sensor.name} to={links.sensor(location, sensor.name)}>
          <StatusDot status={sensor.sensorState.status} /> {sensor.name}
        </Link>
      ))}
    </>
  );
}
