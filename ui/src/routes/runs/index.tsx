/** The list of runs: what is asked for in one click, a field for the rest, and deeds on many runs at once. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { type TabItem, Tabs } from "../../kit/Tabs";
import { useData } from "../../services/data";
import { AnsweredError } from "../../services/errors";
import { useSearchState } from "../../services/navigation";
import { apiFilter, filterParts, readFilter } from "../../services/runFilter.model";
import { ACTIVE, RUNS_PAGE } from "../../services/runs";
import type { RunsPageQuery, RunStatus } from "../../services/schema.gen";
import { RunTable } from "../../runs/RunTable";
import { Bulk } from "./Bulk";
import { RunFilterBar } from "./FilterBar";
import css from "./RunsPage.module.css";

const STEP = 50;
/** The longest page that is given. */
const MOST = 1000;
const NONE: ReadonlySet<string> = new Set();

/** Tabs are statuses, under the name by which the address knows them. */
const TABS: readonly { id: string; label: string; count: keyof RunsPageQuery }[] = [
  { id: "", label: "All", count: "all" },
  { id: ACTIVE.join(","), label: "In progress", count: "active" },
  { id: "QUEUED", label: "Queued", count: "queued" },
  { id: "FAILURE", label: "Failed", count: "failed" },
];

export default function RunsPage() {
  const [search, change] = useSearchState();
  const filter = readFilter(search);
  const [openedAt] = useState(() => Math.floor(Date.now() / 1000));
  const [limit, setLimit] = useState(STEP);
  const [beyond, setBeyond] = useState<{ of: string; cursor: string } | null>(null);
  const [selected, setSelected] = useState(NONE);
  const inStatuses = (statuses: readonly RunStatus[]) => apiFilter({ ...filter, statuses: [...statuses] }, openedAt);
  const asked = JSON.stringify(filter);
  const cursor = beyond?.of === asked ? beyond.cursor : null;
  const answer = useData(
    RUNS_PAGE,
    {
      filter: apiFilter(filter, openedAt),
      cursor,
      limit,
      all: inStatuses([]),
      queued: inStatuses(["QUEUED"]),
      active: inStatuses(ACTIVE),
      failed: inStatuses(["FAILURE"]),
    },
    { live: ["runs", "queue"] },
  );

  const found = answer.data?.runsOrError;
  const runs = found?.__typename === "Runs" ? found.results : [];
  const statusTab = filter.statuses.join(",");
  const tabs: TabItem[] = TABS.map((tab) => ({ id: `tab:${tab.id}`, label: tab.label, count: countOf(answer.data?.[tab.count]) }));
  if (!TABS.some((tab) => tab.id === statusTab)) {
    tabs.push({ id: `tab:${statusTab}`, label: filter.statuses.map((status) => status.toLowerCase()).join(", ") });
  }
  const chosen = runs.filter((run) => selected.has(run.runId));
  const filtered = filter.statuses.length > 0 || filterParts(filter).length > 0 || filter.within > 0;

  return (
    <Page title="Runs">
      <Tabs
        label="Runs by status"
        items={tabs}
        selected={`tab:${statusTab}`}
        onSelect={(id) => {
          setSelected(NONE);
          change({ status: id.slice("tab:".length) }, { replace: false });
        }}
      >
        <RunFilterBar filter={filter} onChange={change} />
        {chosen.length > 0 ? <Bulk runs={chosen} onDone={() => setSelected(NONE)} /> : null}
        {answer.isPending ? <Skeleton rows={12} /> : null}
        {answer.isError ? (
          <div className={css.inset}>
            <Failure title="The runs could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
          </div>
        ) : null}
        {found !== undefined && found.__typename !== "Runs" ? (
          <div className={css.inset}>
            <Failure error={new AnsweredError(found.__typename, found.message, null)} />
          </div>
        ) : null}
        {runs.length > 0 ? (
          <RunTable runs={runs} selected={selected} onSelect={setSelected} stale={answer.isPlaceholderData} />
        ) : null}
        {found?.__typename === "Runs" && runs.length === 0 ? (
          filtered ? (
            <Empty
              title={found.cursor === null ? "No run matches" : "No run matches so far"}
              icon="filter"
              action={
                <Button onPress={() => change({ status: "", job: "", location: "", asset: "", tag: "", within: "" })}>
                  Show all runs
                </Button>
              }
            >
              {found.cursor === null ? "The filter leaves nothing over." : "There are older runs to look at."}
            </Empty>
          ) : (
            <Empty title="Nothing has run yet" icon="runs">
              Launch a job or materialize an asset, and its run appears here while it works.
            </Empty>
          )
        ) : null}
        {found?.__typename === "Runs" && (found.cursor !== null || cursor !== null) ? (
          <p className={css.more}>
            {cursor === null ? `${runs.length.toLocaleString("en")} of ${countText(found)} shown` : null}
            {found.cursor !== null && runs.length === limit && limit < MOST ? (
              <Button onPress={() => setLimit(limit + STEP)}>Show {STEP} more</Button>
            ) : null}
            {found.cursor !== null && (runs.length < limit || limit >= MOST) ? (
              <Button onPress={() => setBeyond({ of: asked, cursor: found.cursor! })}>Look further back</Button>
            ) : null}
            {cursor !== null ? <Button onPress={() => setBeyond(null)}>Back to the newest</Button> : null}
          </p>
        ) : null}
      </Tabs>
    </Page>
  );
}

function countOf(answer: RunsPageQuery[keyof RunsPageQuery] | undefined): string | undefined {
  return answer?.__typename === "Runs" ? countText(answer) : undefined;
}

/** "1,200", or "1,200+" where there may be more. */
function countText(answer: { count: number; countIsWhole: boolean }): string {
  return `${answer.count.toLocaleString("en")}${answer.countIsWhole ? "" : "+"}`;
}
