/** The quieter tabs of a run's page: its steps as a table, its config and tags, its relatives. */
import { CopyButton } from "../../kit/CopyButton";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip, Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Duration, Time } from "../../kit/Time";
import { links } from "../../links";
import { RunTable } from "../../runs/RunTable";
import { useData } from "../../services/data";
import { AnsweredError } from "../../services/errors";
import { aboutFigure, type Figure, type Figures, FIGURES } from "../../services/figures.model";
import { partitionsText } from "../../services/run.model";
import { RUN_FAMILY, type RunDetail, runTopic } from "../../services/runs";
import css from "./RunPage.module.css";

type StepStats = RunDetail["stepStats"][number];

export function Steps({ run }: { run: RunDetail }) {
  const columns: readonly Column<StepStats>[] = [
    { id: "step", label: "Step", render: (step) => step.stepKey, sortBy: (step) => step.stepKey },
    {
      id: "status",
      label: "Status",
      width: "118px",
      render: (step) => <StatusTag status={step.status ?? "WAITING"} />,
      sortBy: (step) => step.status,
    },
    { id: "start", label: "Started", width: "124px", render: (step) => <Time at={step.startTime} />, sortBy: (step) => step.startTime },
    {
      id: "duration",
      label: "Duration",
      width: "88px",
      align: "right",
      render: (step) => <Duration from={step.startTime} to={step.endTime ?? run.endTime} />,
      sortBy: (step) => (step.startTime === null || step.endTime === null ? null : step.endTime - step.startTime),
    },
    { id: "attempts", label: "Attempts", width: "80px", align: "right", render: (step) => step.attempts.length, sortBy: (step) => step.attempts.length },
    ...FIGURES.map((figure) => ({
      id: figure.id,
      label: figure.label,
      width: figure.id === "peakMemory" ? "118px" : "78px",
      align: "right" as const,
      render: (step: StepStats) => <FigureCell figure={figure} figures={lastFigures(step)} />,
      sortBy: (step: StepStats) => lastFigures(step)?.[figure.id] ?? null,
    })),
  ];
  if (run.stepStats.length === 0) return <Empty title="No step has begun" icon="runs" />;
  return (
    <div className={css.scroll}>
      <Table
        label="Steps"
        columns={columns}
        rows={run.stepStats}
        rowKey={(step) => step.stepKey}
        rowLink={(step) => links.run(run.runId, { steps: step.stepKey })}
      />
    </div>
  );
}

/** Of the last attempt that has told them. */
function lastFigures(step: StepStats): Figures | null {
  return step.attempts.findLast(({ figures }) => figures !== null)?.figures ?? null;
}

function FigureCell({ figure, figures }: { figure: Figure; figures: Figures | null }) {
  if (figures === null) return <>–</>;
  return <span title={aboutFigure(figure, figures)}>{figure.text(figures)}</span>;
}

export function ConfigAndTags({ run }: { run: RunDetail }) {
  return (
    <div className={css.scroll}>
      <div className={css.columns}>
        <Section title="Run config" actions={<CopyButton label="Copy the config" text={() => run.runConfigYaml} />}>
          {run.runConfigYaml.trim() === "" || run.runConfigYaml.trim() === "{}" ? (
            <p className={css.none}>This run was launched without config.</p>
          ) : (
            <pre className={css.yaml}>{run.runConfigYaml}</pre>
          )}
        </Section>
        <div>
          <Section title="Tags">
            {run.tags.length === 0 ? <p className={css.none}>No tags.</p> : null}
            <div className={css.tags}>
              {run.tags.map((tag) => (
                <Link key={tag.key} bare to={links.runs({ tag: `${tag.key}:${tag.value}` })} title="Runs with this tag">
                  <Chip>
                    {tag.key}: {tag.value}
                  </Chip>
                </Link>
              ))}
            </div>
          </Section>
          <Section title="Facts">
            <Facts
              facts={[
                ["Run", run.runId],
                ["Location", run.repositoryLocationName],
                ["Partitions", partitionsText(run) || null],
                ["Steps", run.stepKeysToExecute === null ? "All" : run.stepKeysToExecute.join(", ")],
                ["Attempt", run.attempt > 1 ? String(run.attempt) : null],
                ["Created", <Time key="created" at={run.creationTime} />],
                ["Queued", <Time key="queued" at={run.queuedTime} />],
                ["Launched", <Time key="launched" at={run.launchTime} />],
                ["Started", <Time key="started" at={run.startTime} />],
                ["Ended", <Time key="ended" at={run.endTime} />],
              ]}
            />
          </Section>
          {run.assets.length === 0 ? null : (
            <Section title="Assets it made">
              <div className={css.tags}>
                {run.assets.map(({ path }) => (
                  <Link key={path.join("/")} bare to={links.asset(path)}>
                    <Chip>{path.join(" / ")}</Chip>
                  </Link>
                ))}
              </div>
            </Section>
          )}
        </div>
      </div>
    </div>
  );
}

export function Related({ run }: { run: RunDetail }) {
  const answer = useData(RUN_FAMILY, { runId: run.runId }, { live: [runTopic(run.runId), "runs"] });
  const family = answer.data?.runGroupOrError;
  if (answer.isPending) return <Skeleton />;
  if (answer.isError || family === undefined) return <div className={css.inset}><Failure error={answer.error} /></div>;
  if (family.__typename !== "RunGroup") {
    return <div className={css.inset}><Failure error={new AnsweredError(family.__typename, family.message, null)} /></div>;
  }
  if (family.runs.length < 2) {
    return (
      <Empty title="No relatives" icon="reload">
        Re-executions of this run, and the run it is a re-execution of, would be listed here.
      </Empty>
    );
  }
  return (
    <div className={css.scroll}>
      <RunTable runs={family.runs} label="Runs that belong together" />
    </div>
  );
}
