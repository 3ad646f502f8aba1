/** The first page: what needs somebody, how the last hours went, what comes next. */
import { type ReactNode, useMemo, useState } from "react";

import { Button, IconButton } from "../../kit/Button";
import { cx } from "../../kit/cx";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Page, Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { useNow, useTimeStyle } from "../../kit/Time";
import { links } from "../../links";
import { ASSET_TOPICS } from "../../services/assets";
import { AUTOMATION_TOPICS } from "../../services/automation";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { OVERVIEW, OVERVIEW_CHECKS, OVERVIEW_FAILING, type OverviewRun } from "../../services/overview";
import { shortTime } from "../../services/time.model";
import type { OverviewQuery } from "../../services/schema.gen";
import { Attention } from "./Attention";
import css from "./Overview.module.css";
import { type Tick, Timeline } from "./Timeline";
import { fittingSpan } from "./timeline.model";

const MOST_RUNS = 1_000;
/** Not those of schedules and sensors: each evaluation of a sensor changes them, and seldom what fails. */
const TOPICS = ["runs", "queue", "locations", "processes"] as const;
const FAILING_TOPICS = [...AUTOMATION_TOPICS, "alerts"];
const TICKS_PAUSE_MS = 10_000;

const SPANS = [
  { id: "0.25", label: "15 min", seconds: 900 },
  { id: "1", label: "1 h", seconds: 3_600 },
  { id: "6", label: "6 h", seconds: 21_600 },
  { id: "24", label: "24 h", seconds: 86_400 },
  { id: "168", label: "7 d", seconds: 604_800 },
] as const;
/** How far back to look when the reader has not said. */
const USUAL = SPANS[3];
/** The part of the span that lies ahead of now. */
const AHEAD = 1 / 6;
const PIXELS = 1_000;

export default function OverviewPage() {
  const [search, change] = useSearchState();
  const wanted = SPANS.find(({ id }) => id === search.span);
  const zoom = readZoom(search.from, search.to);
  const [openedAt] = useState(() => Math.floor(Date.now() / 60_000) * 60);
  const since = zoom?.from ?? openedAt - (wanted ?? USUAL).seconds;
  const answer = useData(OVERVIEW, { since, limit: MOST_RUNS }, { live: TOPICS });
  const checks = useData(OVERVIEW_CHECKS, {}, { live: ASSET_TOPICS });
  const failing = useData(OVERVIEW_FAILING, {}, { live: FAILING_TOPICS, pauseMs: TICKS_PAUSE_MS });
  const { data } = answer;

  if (data === undefined) {
    return (
      <Page title="Overview">
        <Section>
          {answer.isError ? (
            <Failure title="The overview could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
          ) : (
            <Skeleton rows={12} />
          )}
        </Section>
      </Page>
    );
  }
  const found = data.runsOrError.__typename === "Runs" ? data.runsOrError.results : [];
  const runs = zoom === null ? found : found.filter((run) => (run.startTime ?? run.creationTime) <= zoom.to);
  const span = wanted ?? fittingSpan(SPANS, USUAL, found, openedAt);
  const locations = data.workspaceOrError.__typename === "Workspace" ? data.workspaceOrError.locationEntries : [];
  return (
    <Page title="Overview">
      {locations.length === 0 ? <FirstSteps /> : null}
      <Section title="Needs attention">
        {checks.isError ? <Failure title="The results of checks could not be read." error={checks.error} /> : null}
        {failing.isError ? <Failure title="Ticks and alerts could not be read." error={failing.error} /> : null}
        <Attention data={data} checks={checks.data} failing={failing.data} runs={runs} />
      </Section>
      <Section>
        <Numbers data={data} runs={runs} span={span.label} zoomed={zoom !== null} />
      </Section>
      <Section
        title={<TimelineTitle zoom={zoom} />}
        actions={
          <div className={css.spans}>
            {zoom === null ? null : <Button icon="close" onPress={() => change({ from: "", to: "" })}>Whole span</Button>}
            <div className={css.group} role="group" aria-label="How far back">
              {SPANS.map(({ id, label }) => (
                <button
                  key={id}
                  type="button"
                  className={cx(css.span, zoom === null && id === span.id && css.chosen)}
                  aria-pressed={zoom === null && id === span.id}
                  onClick={() => change({ span: id, from: "", to: "" })}
                >
                  {label}
                </button>
              ))}
            </div>
            <IconButton icon="reload" label="Ask again" onPress={() => void answer.refetch()} />
          </div>
        }
      >
        <TimelineOf runs={runs} data={data} seconds={span.seconds} zoom={zoom} onZoom={(from, to) => change({ from: String(Math.floor(from)), to: String(Math.ceil(to)) }, { replace: false })} />
      </Section>
    </Page>
  );
}

interface Zoom {
  from: number;
  to: number;
}

function readZoom(from: string | undefined, to: string | undefined): Zoom | null {
  const zoom = { from: Number(from), to: Number(to) };
  return zoom.from > 0 && zoom.to > zoom.from ? zoom : null;
}

function TimelineTitle({ zoom }: { zoom: Zoom | null }) {
  const now = useNow(false);
  const style = useTimeStyle();
  if (zoom === null) return <>Timeline</>;
  return (
    <>
      {shortTime(zoom.from, now, style)} to {shortTime(zoom.to, now, style)}
    </>
  );
}

interface TimelineOfProps {
  runs: readonly OverviewRun[];
  data: OverviewQuery;
  seconds: number;
  zoom: Zoom | null;
  onZoom: (from: number, to: number) => void;
}

function TimelineOf({ runs, data, seconds, zoom, onZoom }: TimelineOfProps) {
  const step = Math.max(1, Math.floor(seconds / PIXELS)); // moving by less than a pixel is no news
  const now = Math.floor(useNow(zoom === null) / step) * step;
  const ticks = useMemo(() => ticksOf(data), [data]);
  const from = zoom?.from ?? now - seconds;
  const to = zoom?.to ?? now + seconds * AHEAD;
  const count = data.runsOrError.__typename === "Runs" ? data.runsOrError.count : 0;
  const inSight = runs.some((run) => (run.endTime ?? now) >= from && (run.startTime ?? run.creationTime) <= to);
  if (data.runsOrError.__typename !== "Runs") return <Failure error={new Error(data.runsOrError.message)} />;
  if (!inSight && !ticks.some((tick) => tick.at >= Math.max(now, from) && tick.at <= to)) {
    return (
      <div className={css.frame}>
        <Empty title="Nothing ran in this time" icon="runs">
          <Link to={links.jobs()}>Launch a job</Link>, <Link to={links.assets()}>materialize an asset</Link>, or turn a{" "}
          <Link to={links.automation()}>schedule</Link> on.
        </Empty>
      </div>
    );
  }
  return (
    <>
      <Timeline runs={runs} ticks={ticks} from={from} to={to} now={now} onZoom={onZoom} />
      <p className={css.hint}>
        <span>
          {count > runs.length ? `The latest ${runs.length.toLocaleString("en")} of ${count.toLocaleString("en")} runs. ` : ""}
          Drag over the timeline to look closer. Circles are ticks to come.
        </span>
        <Link to={links.runs({ within: zoom === null ? seconds : Math.ceil(Date.now() / 1000 - zoom.from) })}>
          The runs as a list
        </Link>
      </p>
    </>
  );
}

function ticksOf(data: OverviewQuery): Tick[] {
  if (data.repositoriesOrError.__typename !== "RepositoryConnection") return [];
  return data.repositoriesOrError.nodes.flatMap((repository) =>
    repository.schedules
      .filter((schedule) => schedule.scheduleState.status === "RUNNING")
      .flatMap((schedule) =>
        schedule.futureTicks.results.map((tick) => ({
          location: repository.location.name,
          job: schedule.pipelineName,
          at: tick.timestamp,
        })),
      ),
  );
}

interface NumbersProps {
  data: OverviewQuery;
  runs: readonly OverviewRun[];
  span: string;
  zoomed: boolean;
}

function Numbers({ data, runs, span, zoomed }: NumbersProps) {
  const within = zoomed ? "in the chosen time" : `in ${span}`;
  const count = (status: string) => runs.filter((run) => run.status === status).length;
  return (
    <div className={css.numbers}>
      <NumberOf label="In progress" value={data.instance.activeRuns} tone="busy" to={links.runs({ status: ["STARTING", "STARTED", "CANCELING"] })} />
      <NumberOf label="Queued" value={data.instance.queuedRuns} tone="wait" to={links.runs({ status: ["QUEUED"] })} />
      <NumberOf label={`Succeeded ${within}`} value={count("SUCCESS")} tone="good" to={links.runs({ status: ["SUCCESS"] })} />
      <NumberOf label={`Failed ${within}`} value={count("FAILURE")} tone="bad" to={links.runs({ status: ["FAILURE"] })} />
    </div>
  );
}

interface NumberOfProps {
  label: ReactNode;
  value: number;
  tone: "busy" | "wait" | "good" | "bad";
  to: string;
}

function NumberOf({ label, value, tone, to }: NumberOfProps) {
  return (
    <Link bare to={to} className={css.number}>
      <span className={cx(css.value, value > 0 && css[tone])}>{value.toLocaleString("en")}</span>
      <span className={css.label}>{label}</span>
    </Link>
  );
}

function FirstSteps() {
  return (
    <Section>
      <div className={css.frame}>
        <Empty title="No code is loaded yet" icon="deployment">
          <ol className={css.steps}>
            <li>
              Write a file with an asset: <code>@asset def numbers(): return [1, 2, 3]</code>
            </li>
            <li>
              Start Penstock with it: <code>penstock dev -f your_file.py</code>
            </li>
            <li>Come back here, and materialize it.</li>
          </ol>
        </Empty>
      </div>
    </Section>
  );
}
