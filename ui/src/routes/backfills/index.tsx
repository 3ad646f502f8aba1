/** All backfills: where each stands, how far it has come and how long it will take. */
import { useState } from "react";

import { AT_WORK, nameOf, paceText, standing, targetText } from "../../backfills/backfill.model";
import { Progress } from "../../backfills/Progress";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Tabs } from "../../kit/Tabs";
import { Time, useNow } from "../../kit/Time";
import { links } from "../../links";
import { BACKFILL_PAGE, BACKFILL_TOPICS, type BackfillCard } from "../../services/backfills";
import { useData } from "../../services/data";
import { AnsweredError } from "../../services/errors";
import { useSearchState } from "../../services/navigation";
import type { BulkActionStatus } from "../../services/schema.gen";
import css from "./backfills.module.css";

const STEP = 50;
/** The longest page that is given. */
const MOST = 1000;

const TABS: readonly { id: string; label: string; statuses: readonly BulkActionStatus[] }[] = [
  { id: "all", label: "All", statuses: [] },
  { id: "work", label: "In progress", statuses: AT_WORK },
  { id: "done", label: "Completed", statuses: ["COMPLETED_SUCCESS"] },
  { id: "failed", label: "Failed", statuses: ["COMPLETED_FAILED", "FAILED"] },
  { id: "canceled", label: "Canceled", statuses: ["CANCELED"] },
];

export default function BackfillsPage() {
  const [{ is = "all", before = "" }, change] = useSearchState();
  const tab = TABS.find(({ id }) => id === is) ?? TABS[0]!;
  const [limit, setLimit] = useState(STEP);
  const answer = useData(
    BACKFILL_PAGE,
    { statuses: tab.statuses.length > 0 ? [...tab.statuses] : null, cursor: before || null, limit },
    { live: BACKFILL_TOPICS },
  );
  const found = answer.data?.partitionBackfillsOrError;
  const backfills = found?.__typename === "PartitionBackfills" ? found.results : [];
  const cursor = found?.__typename === "PartitionBackfills" ? found.cursor : null;
  return (
    <Page title="Backfills">
      <Tabs
        label="Backfills by status"
        items={TABS}
        selected={tab.id}
        onSelect={(id) => change({ is: id === "all" ? "" : id, before: "" }, { replace: false })}
      >
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
            columns={COLUMNS}
            rows={backfills}
            rowKey={({ id }) => id}
            rowLink={({ id }) => links.backfill(id)}
            stale={answer.isPlaceholderData}
          />
        ) : null}
        {found?.__typename === "PartitionBackfills" && backfills.length === 0 ? (
          tab.id === "all" && before === "" ? (
            <Empty title="No backfill yet" icon="backfills" action={<Link to={links.assets()}>All assets</Link>}>
              Materialize several partitions of an asset, or launch a partitioned job for them, and its progress shows here.
            </Empty>
          ) : (
            <Empty
              title="No backfill matches"
              icon="filter"
              action={<Button onPress={() => change({ is: "", before: "" })}>Show all backfills</Button>}
            >
              The filter leaves nothing over.
            </Empty>
          )
        ) : null}
        {cursor !== null || before !== "" ? (
          <p className={css.more}>
            {cursor === null ? null : limit < MOST ? (
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

const COLUMNS: readonly Column<BackfillCard>[] = [
  { id: "status", label: "Status", width: "212px", render: (backfill) => <StatusTag status={standing(backfill)} /> },
  {
    id: "name",
    label: "Backfill",
    least: 150,
    render: (backfill) => (
      <Link to={links.backfill(backfill.id)} title={nameOf(backfill)}>
        {nameOf(backfill)}
      </Link>
    ),
  },
  { id: "target", label: "Target", width: "16%", render: (backfill) => <span title={targetText(backfill)}>{targetText(backfill)}</span> },
  { id: "progress", label: "Progress", width: "290px", render: (backfill) => <Progress counts={backfill.partitionStatusCounts} /> },
  { id: "pace", label: "At this pace", width: "160px", render: (backfill) => <Pace backfill={backfill} /> },
  { id: "user", label: "Asked by", width: "100px", render: ({ user }) => <span title={user ?? ""}>{user ?? ""}</span> },
  { id: "created", label: "Created", width: "132px", render: ({ timestamp }) => <Time at={timestamp} /> },
];

function Pace({ backfill }: { backfill: BackfillCard }) {
  const text = paceText(backfill, useNow());
  return <span title={text}>{text}</span>;
}
