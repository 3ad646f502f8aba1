/** The job's runs as a grid: one row per step, one column per run, newest at the right; and the same as a table. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusDot, StatusTag } from "../../kit/StatusTag";
import { Table } from "../../kit/Table";
import { Duration, Time, useTimeStyle } from "../../kit/Time";
import { links } from "../../links";
import { useData } from "../../services/data";
import { JOB_RUNS } from "../../services/jobs";
import { partitionsText, shortId } from "../../services/run.model";
import type { JobRunsQuery } from "../../services/schema.gen";
import { durationText, shortTime } from "../../services/time.model";
import css from "./job.module.css";
import type { Step } from "./jobGraph.model";
import { stepStatuses } from "./runGrid.model";

type Run = Extract<JobRunsQuery["runsOrError"], { __typename: "Runs" }>["results"][number];

interface JobRunsProps {
  location: string;
  name: string;
  steps: readonly Step[];
}

const PAGE = 40;
const GRID_RUNS = 40;
const GRID_STEPS = 60;

export function JobRuns({ location, name, steps }: JobRunsProps) {
  const [limit, setLimit] = useState(PAGE);
  const answer = useData(
    JOB_RUNS,
    { filter: { pipelineName: name, locationName: location }, limit },
    { live: ["runs"] },
  );
  const found = answer.data?.runsOrError;
  if (answer.error)
    return <Failure error={answer.error} title="The runs could not be read." onRetry={() => void answer.refetch()} />;
  if (!found) return <Skeleton rows={10} />;
  if (found.__typename !== "Runs")
    return <Failure error={new Error(found.message)} title="The runs could not be read." />;
  const runs = found.results;
  if (runs.length === 0) {
    return (
      <Empty
        title="No runs yet"
        icon="runs"
        action={<Link to={links.job(location, name, { tab: "launch" })}>Open the launchpad</Link>}
      >
        Launch the job, or turn on a schedule or sensor that starts it.
      </Empty>
    );
  }
  return (
    <>
      <Section title="Steps by run">
        <Grid runs={runs.slice(0, GRID_RUNS).toReversed()} steps={steps.slice(0, GRID_STEPS)} />
        {steps.length > GRID_STEPS ? (
          <p className={css.hint}>
            The first {GRID_STEPS} of {steps.length} steps.
          </p>
        ) : null}
      </Section>
      <Table
        label="Runs"
        stale={answer.isPlaceholderData}
        columns={[
          { id: "status", label: "Status", width: "140px", render: (run) => <StatusTag bare status={run.status} /> },
          {
            id: "run",
            label: "Run",
            width: "110px",
            render: (run) => <Link to={links.run(run.runId)}>{shortId(run.runId)}</Link>,
          },
          ...(runs.some((run) => partitionsText(run) !== "")
            ? [{ id: "partition", label: "Partition", width: "190px", render: (run: Run) => partitionsText(run) }]
            : []),
          { id: "note", label: "Note", render: (run) => run.note ?? "" },
          { id: "created", label: "Created", width: "150px", render: (run) => <Time at={run.creationTime} /> },
          {
            id: "took",
            label: "Took",
            width: "110px",
            align: "right",
            render: (run) => <Duration from={run.startTime} to={run.endTime} />,
          },
        ]}
        rows={runs}
        rowKey={(run) => run.runId}
        rowLink={(run) => links.run(run.runId)}
      />
      {runs.length === limit ? (
        <p className={css.more}>
          <Button onPress={() => setLimit(limit + 4 * PAGE)}>Show older</Button>
        </p>
      ) : null}
    </>
  );
}

function Grid({ runs, steps }: { runs: readonly Run[]; steps: readonly Step[] }) {
  const style = useTimeStyle();
  const now = Date.now() / 1000;
  const byRun = runs.map((run) => stepStatuses(run.stepStats));
  const longest = Math.max(
    1,
    ...runs.map((run) => (run.startTime === null ? 0 : (run.endTime ?? now) - run.startTime)),
  );
  return (
    <div className={css.gridBox} tabIndex={0} role="region" aria-label="Steps by run">
      <table className={css.grid}>
        <thead>
          <tr>
            <td className={css.stepHead} />
            {runs.map((run) => {
              const took = run.startTime === null ? 0 : (run.endTime ?? now) - run.startTime;
              const words = [shortTime(run.creationTime, now, style), partitionsText(run), durationText(took)].filter(Boolean).join(", ");
              return (
                <th key={run.runId} scope="col">
                  <Link
                    bare
                    to={links.run(run.runId)}
                    aria-label={`Run ${shortId(run.runId)}, ${words}`}
                    title={words}
                    className={css.runHead ?? ""}
                  >
                    <span
                      className={css.took}
                      data-status={run.status}
                      style={{ height: `${8 + 40 * (took / longest)}px` }}
                    />
                  </Link>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.key}>
              <th scope="row" className={css.stepHead}>
                {step.key}
              </th>
              {runs.map((run, column) => {
                const status = byRun[column]!.get(step.key);
                return (
                  <td key={run.runId}>
                    {status ? (
                      <Link
                        bare
                        to={links.run(run.runId, { steps: step.key })}
                        aria-label={`${step.key} in run ${shortId(run.runId)}`}
                      >
                        <StatusDot status={status} />
                      </Link>
                    ) : null}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
