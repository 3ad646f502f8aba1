/** All backfills: where each stands, how far it has come and how long it will take. */
import { useState } from "react";

import { AT_WORK, nameOf, paceText, standing, targetText } from "../../backfills/backfill.model";
import { apiFilter, filterParts, readFilter, readTyped, UNFILTERED } from "../../backfills/filter.model";
import { Progress } from "../../backfills/Progress";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { FilterBar } from "../../kit/FilterBar";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Tabs } from "../../kit/Tabs";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { BACKFILL_PAGE, BACKFILL_TOPICS, type BackfillCard } from "../../services/backfills";
import { useData } from "../../services/data";
import { AnsweredError } from "../../services/errors";
import { type SearchState, useSearchState } from "../../services/navigation";
import type { BulkActionStatus } from "../../services/schema.gen";
import css from "./backfills.module.css";
import { Bulk } from "./Bulk";

const STEP = 50;
/** The longest page that is given. */
const MOST = 1000;
const NONE: ReadonlySet<string> = new Set();

const TABS: readonly { id: string; label: string; statuses: readonly BulkActionStatus[] }[] = [
  { id: "all", label: "All", statuses: [] },
  { id: "work", label: "In progress", statuses: AT_WORK },
  { id: "done", label: "Completed", statuses: ["COMPLETED_SUCCESS"] },
  { id: "failed", label: "Failed", statuses: ["COMPLETED_FAILED", "FAILED"] },
  { id: "canceled", label: "Canceled", statuses: ["CANCELED"] },
];

export default function BackfillsPage() {
  const [search, change] = useSearchState();
  const { is = "all", before = "" } = search;
  const tab = TABS.find(({ id }) => id === is) ?? TABS[0]!;
  const filter = readFilter(search);
  const parts = filterParts(filter);
  const [limit, setLimit] = useState(STEP);
  const [selected, setSelected] = useState(NONE);
  const answer = useData(
    BACKFILL_PAGE,
    { ...apiFilter(filter), statuses: tab.statuses.length > 0 ? [...tab.statuses] : null, cursor: before || null, limit },
    { live: BACKFILL_TOPICS },
  );
  const narrow = (to: SearchState) => {
    setSelected(NONE);
    change({ ...to, before: "" }, { replace: false });
  };
  const found = answer.data?.partitionBackfillsOrError;
  const backfills = found?.__typename === "PartitionBackfills" ? found.results : [];
  const cursor = found?.__typename === "PartitionBackfills" ? found.cursor : null;
  const chosen = backfills.filter(({ id }) => selected.has(id));
  const isFull = backfills.length === limit;
  return (
    <Page title="Backfills">
      <Tabs
        label="Backfills by status"
        items={TABS}
        selected={tab.id}
        onSelect={(id) => narrow({ is: id === "all" ? "" : id })}
      >
        <FilterBar
          label="Filter backfills"
          placeholder="title or id, job:name, asset:key, user:name"
          onTyped={(text) => {
            const meaning = readTyped(text);
            if (meaning !== null) narrow(meaning);
            return meaning !== null;
          }}
          parts={parts.map(({ name, label }) => ({ label, remove: () => narrow({ [name]: "" }) }))}
        />
        {chosen.length > 0 ? <Bulk backfills={chosen} onDone={() => setSelected(NONE)} /> : null}
        {answer.isPending ? <Skeleton rows={8} /> : null}
        {answer.isError ? (
          <div className={css.inset}>
            <Failure title="The backfills could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
          </div>
        ) : null}
        {found !== undefined && found.__typename !== "PartitionBackfills" ? (
          <div className={css.inset}>
            <Failure error={new AnsweredError(found.__typename, found.message, null)} />
          </div>
        ) : null}
        {backfills.length > 0 ? (
          <Table
            label="Backfills"
            columns={columnsFor(backfills)}
            rows={backfills}
            rowKey={({ id }) => id}
            rowLink={({ id }) => links.backfill(id)}
            selected={selected}
            onSelect={setSelected}
            stale={answer.isPlaceholderData}
          />
        ) : null}
        {found?.__typename === "PartitionBackfills" && backfills.length === 0 ? (
          tab.id === "all" && before === "" && parts.length === 0 ? (
            <Empty title="No backfill yet" icon="backfills" action={<Link to={links.assets()}>All assets</Link>}>
              Materialize several partitions of an asset, or launch a partitioned job for them, and its progress shows here.
            </Empty>
          ) : (
            <Empty
              title={cursor === null ? "No backfill matches" : "No backfill matches so far"}
              icon="filter"
              action={<Button onPress={() => narrow({ ...UNFILTERED, is: "" })}>Show all backfills</Button>}
            >
              {cursor === null ? "The filter leaves nothing over." : "There are older ones to look at."}
            </Empty>
          )
        ) : null}
        {cursor !== null || before !== "" ? (
          <p className={css.more}>
            {cursor === null ? null : isFull && limit < MOST ? (
              <Button onPress={() => setLimit(limit + STEP)}>Show {STEP} more</Button>
            ) : (
              <Button onPress={() => change({ before: cursor }, { replace: false })}>Look further back</Button>
            )}
            {before === "" ? null : <Button onPress={() => change({ before: "" })}>Back to the newest</Button>}
          </p>
        ) : null}
      </Tabs>
    </Page>
  );
}

const STATUS: Column<BackfillCard> = {
  id: "status",
  label: "Status",
  width: "168px",
  render: (backfill) => <StatusTag bare status={standing(backfill)} />,
};
const USER: Column<BackfillCard> = {
  id: "user",
  label: "Asked by",
  width: "88px",
  render: ({ user }) => (user === null ? null : <Link to={links.backfills({ user })}>{user}</Link>),
};
const COLUMNS: readonly Column<BackfillCard>[] = [
  {
    id: "name",
    label: "Backfill",
    least: 130,
    render: (backfill) => (
      <Link to={links.backfill(backfill.id)} title={nameOf(backfill)}>
        {nameOf(backfill)}
      </Link>
    ),
  },
  { id: "target", label: "Target", least: 110, render: (backfill) => <span title={targetText(backfill)}>{targetText(backfill)}</span> },
  { id: "progress", label: "Progress", width: "236px", render: (backfill) => <Progress counts={backfill.partitionStatusCounts} /> },
  { id: "pace", label: "Left at this pace", width: "150px", render: (backfill) => <span title={paceText(backfill)}>{paceText(backfill, "")}</span> },
  { id: "created", label: "Created", width: "126px", render: ({ timestamp }) => <Time at={timestamp} /> },
];

/** Who asked is a column where anybody is known to have. */
function columnsFor(backfills: readonly BackfillCard[]): readonly Column<BackfillCard>[] {
  const last = COLUMNS.length - 1;
  const who = backfills.some(({ user }) => user !== null) ? [USER] : [];
  return [STATUS, ...COLUMNS.slice(0, last), ...who, ...COLUMNS.slice(last)];
}
