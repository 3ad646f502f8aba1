/** One run: what it does or did, why it failed, its log, and what can be done about it. */
import { useParams } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { ErrorPanel, Failure } from "../../kit/ErrorPanel";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Tabs } from "../../kit/Tabs";
import { Duration, Time } from "../../kit/Time";
import { links } from "../../links";
import { Origin } from "../../runs/Origin";
import { Target } from "../../runs/Target";
import { useData } from "../../services/data";
import { AnsweredError } from "../../services/errors";
import { type SearchState, useGo, useSearchState } from "../../services/navigation";
import { partitionsOf, partitionsText, shortId } from "../../services/run.model";
import { hasEnded, RUN_DETAIL, type RunDetail, runTopic } from "../../services/runs";
import { useShortcuts } from "../../services/shortcuts";
import { Gantt } from "./Gantt";
import { LogPane } from "./LogPane";
import { RunActions } from "./RunActions";
import css from "./RunPage.module.css";
import { ConfigAndTags, Related, Steps } from "./RunTabs";

const TABS = [
  { id: "timeline", label: "Timeline and log" },
  { id: "steps", label: "Steps" },
  { id: "config", label: "Config and tags" },
  { id: "related", label: "Related runs" },
];

export default function RunPage() {
  const { runId = "" } = useParams({ strict: false }) as { runId?: string };
  const [search, change] = useSearchState();
  const go = useGo();
  const answer = useData(RUN_DETAIL, { runId }, { live: [runTopic(runId), "queue", "pools"] });
  const crumbs = [{ label: "Runs", to: links.runs() }];
  const found = answer.data?.runOrError;
  const run = found?.__typename === "Run" && found.runId === runId ? found : null;
  const failure = run?.failure ?? null;
  const toError = () => {
    if (failure !== null) change({ tab: "", src: "", q: "", level: "", steps: failure.stepKey ?? "", event: failure.eventId ?? "" });
  };
  useShortcuts({ e: toError });

  if (run === null) {
    return (
      <Page title={shortId(runId)} crumbs={crumbs}>
        {found?.__typename === "RunNotFoundError" ? (
          <Empty title="There is no such run" icon="search" action={<Button onPress={() => go(links.runs())}>All runs</Button>}>
            {found.message}
          </Empty>
        ) : answer.isError || found?.__typename === "PythonError" ? (
          <div className={css.inset}>
            <Failure
              title="The run could not be read."
              error={found?.__typename === "PythonError" ? new AnsweredError(found.__typename, found.message, null) : answer.error}
              onRetry={() => void answer.refetch()}
            />
          </div>
        ) : (
          <Skeleton rows={12} />
        )}
      </Page>
    );
  }
  return (
    <Page
      fill
      title={shortId(runId)}
      crumbs={crumbs}
      beside={<StatusTag status={run.status} />}
      under={<Summary run={run} />}
      actions={<RunActions run={run} />}
    >
      <Tabs
        fill
        label="Views of the run"
        items={TABS}
        selected={search.tab ?? "timeline"}
        onSelect={(tab) => change({ tab: tab === "timeline" ? "" : tab }, { replace: false })}
      >
        {search.tab === "steps" ? (
          <Steps run={run} />
        ) : search.tab === "config" ? (
          <ConfigAndTags run={run} />
        ) : search.tab === "related" ? (
          <Related run={run} />
        ) : (
          <Timeline run={run} search={search} onSearch={change} onError={toError} />
        )}
      </Tabs>
    </Page>
  );
}

function Summary({ run }: { run: RunDetail }) {
  return (
    <>
      <Target run={run} named={3} />
      <Partitions run={run} />
      <Origin run={run} />
      <span>
        {run.startTime === null ? "Created " : "Started "}
        <Time at={run.startTime ?? run.creationTime} relative />
      </span>
      {run.startTime === null ? null : (
        <span>
          {hasEnded(run.status) ? "Took " : "Runs for "}
          <Duration from={run.startTime} to={run.endTime} />
        </span>
      )}
      {run.startTime !== null && run.startTime - run.creationTime > 5 ? (
        <span>
          Waited <Duration from={run.creationTime} to={run.startTime} />
        </span>
      ) : null}
      {run.note === null || run.failure !== null ? null : <span className={css.note}>{run.note}</span>}
    </>
  );
}

function Partitions({ run }: { run: RunDetail }) {
  const found = partitionsOf(run);
  if (found === null) return null;
  return (
    <span>
      {found.first === found.last ? "Partition " : "Partitions "}
      {partitionsText(run)}
    </span>
  );
}

/** Why steps that could run do not: one line for each of the first few. */
function Waiting({ steps }: { steps: RunDetail["pendingSteps"] }) {
  if (steps.length === 0) return null;
  return (
    <ul className={css.waiting} aria-label="Steps that wait">
      {steps.slice(0, MOST_WAITING).map(({ stepKey, reason }) => (
        <li key={stepKey}>
          {stepKey === "" ? null : <b>{stepKey}</b>} {reason}
        </li>
      ))}
      {steps.length > MOST_WAITING ? <li>and {steps.length - MOST_WAITING} more wait</li> : null}
    </ul>
  );
}

interface TimelineProps {
  run: RunDetail;
  search: SearchState;
  onSearch: (change: SearchState) => void;
  onError: () => void;
}

const MOST_WAITING = 3;
const LEAST_SHARE = 0.15;
const MOST_SHARE = 0.8;

function Timeline({ run, search, onSearch, onError }: TimelineProps) {
  const steps = (search.steps ?? "").split(",").filter((step) => step !== "");
  const [share, setShare] = useState(0.4);
  const place = useRef<HTMLDivElement>(null);
  const { failure } = run;
  const errorOpened = failure !== null && search.event === failure.eventId && failure.eventId !== null;

  const drag = (pointerY: number) => {
    const box = place.current?.getBoundingClientRect();
    if (box !== undefined) setShare(Math.min(MOST_SHARE, Math.max(LEAST_SHARE, (pointerY - box.top) / box.height)));
  };
  return (
    <>
      {failure === null || errorOpened ? null : (
        <div className={css.failure}>
          <div className={css.cause}>
            <b>{failure.stepKey === null ? "The run failed" : `${failure.stepKey} failed`}</b>
            <span className={css.message}>{failure.message}</span>
          </div>
          {failure.eventId === null ? null : (
            <Button icon="chevronRight" onPress={onError}>
              Go to the error
            </Button>
          )}
        </div>
      )}
      {failure !== null && failure.eventId === null && failure.error !== null ? (
        <div className={css.inset}>
          <ErrorPanel error={failure.error} />
        </div>
      ) : null}
      <Waiting steps={run.pendingSteps} />
      <div ref={place} className={css.halves}>
        <div className={css.upper} style={{ flexBasis: `${share * 100}%` }}>
          <Gantt run={run} steps={steps} onSteps={(chosen) => onSearch({ steps: chosen.join(","), event: "" })} />
        </div>
        <div
          className={css.divider}
          role="separator"
          aria-label="Size of the timeline"
          aria-orientation="horizontal"
          aria-valuenow={Math.round(share * 100)}
          tabIndex={0}
          onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={(event) => {
            if (event.currentTarget.hasPointerCapture(event.pointerId)) drag(event.clientY);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowUp") setShare(Math.max(LEAST_SHARE, share - 0.05));
            if (event.key === "ArrowDown") setShare(Math.min(MOST_SHARE, share + 0.05));
          }}
        />
        <LogPane run={run} search={search} onSearch={onSearch} />
      </div>
    </>
  );
}
