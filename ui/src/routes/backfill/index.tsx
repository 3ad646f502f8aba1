/** One backfill: where it stands, each asset of it, each partition, its runs and what happened to it. */
import { useParams } from "@tanstack/react-router";

import { nameOf, paceText, standing } from "../../backfills/backfill.model";
import { Progress } from "../../backfills/Progress";
import { Empty } from "../../kit/Empty";
import { ErrorPanel, Failure } from "../../kit/ErrorPanel";
import { Chip, Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Page, Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Tabs } from "../../kit/Tabs";
import { Duration, Time } from "../../kit/Time";
import { links } from "../../links";
import { RunTable } from "../../runs/RunTable";
import { BACKFILL_DETAIL, BACKFILL_RUNS, BACKFILL_TOPICS, type BackfillDetail, type BackfillTarget } from "../../services/backfills";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { ownTags, shortId, TAG } from "../../services/run.model";
import { Actions } from "./Actions";
import css from "./backfill.module.css";
import { Log } from "./Log";
import { Matrix } from "./Matrix";

const RUNS = 50;
/** Assets that are told by name. */
const NAMED = 12;

export default function BackfillPage() {
  const { backfillId = "" } = useParams({ strict: false }) as { backfillId?: string };
  return <BackfillView key={backfillId} id={backfillId} />;
}

function BackfillView({ id }: { id: string }) {
  const [{ tab = "progress" }, change] = useSearchState();
  const answer = useData(BACKFILL_DETAIL, { id }, { live: BACKFILL_TOPICS });
  const found = answer.data?.partitionBackfillOrError;
  const backfill = found?.__typename === "PartitionBackfill" ? found : undefined;
  const tabs = [
    { id: "progress", label: "Progress" },
    { id: "partitions", label: "Partitions" },
    { id: "runs", label: "Runs", count: backfill?.numRuns },
    { id: "log", label: "Log", count: backfill?.logEvents.length },
  ];
  return (
    <Page
      title={backfill ? nameOf(backfill) : `Backfill ${shortId(id)}`}
      crumbs={[{ label: "Backfills", to: links.backfills() }]}
      beside={backfill ? <StatusTag status={standing(backfill)} /> : undefined}
      under={backfill ? <Under backfill={backfill} /> : undefined}
      actions={backfill ? <Actions backfill={backfill} /> : undefined}
    >
      {answer.error ? (
        <Section>
          <Failure error={answer.error} title="The backfill could not be read." onRetry={() => void answer.refetch()} />
        </Section>
      ) : !found ? (
        <Skeleton rows={10} />
      ) : !backfill ? (
        <Empty title="No such backfill" icon="backfills" action={<Link to={links.backfills()}>All backfills</Link>}>
          {"message" in found ? found.message : null}
        </Empty>
      ) : (
        <>
          {backfill.error ? (
            <Section>
              <ErrorPanel error={backfill.error} title="The backfill was stopped by an error" />
            </Section>
          ) : null}
          <Tabs
            label="Backfill"
            items={tabs}
            selected={tab}
            onSelect={(chosen) => change({ tab: chosen === "progress" ? "" : chosen, asset: "" }, { replace: false })}
          >
            {tab === "partitions" ? (
              <Matrix id={id} />
            ) : tab === "runs" ? (
              <Runs id={id} />
            ) : tab === "log" ? (
              <Log lines={backfill.logEvents} />
            ) : (
              <Overview backfill={backfill} />
            )}
          </Tabs>
        </>
      )}
    </Page>
  );
}

function Under({ backfill }: { backfill: BackfillDetail }) {
  const pace = paceText(backfill);
  return (
    <>
      <AskedBy backfill={backfill} />
      <span>
        Created <Time at={backfill.timestamp} relative />
      </span>
      {backfill.endTimestamp === null ? null : (
        <span>
          Took <Duration from={backfill.timestamp} to={backfill.endTimestamp} />
        </span>
      )}
      {pace === "" ? null : <span>{pace}</span>}
      {backfill.note === null ? null : <span className={css.note}>{backfill.note}</span>}
    </>
  );
}

function AskedBy({ backfill }: { backfill: BackfillDetail }) {
  const sensor = backfill.tags.find(({ key }) => key === TAG.sensor)?.value;
  const location = backfill.repositoryLocationName;
  if (sensor !== undefined && location !== null) {
    return (
      <span>
        Asked for by the sensor <Link to={links.sensor(location, sensor)}>{sensor}</Link>
      </span>
    );
  }
  return backfill.user === null ? null : <span>Asked for by {backfill.user}</span>;
}

const COLUMNS: readonly Column<BackfillTarget>[] = [
  {
    id: "asset",
    label: "Asset",
    least: 160,
    render: ({ assetKey }) => (assetKey === null ? "The job" : <Link to={links.asset(assetKey.path)}>{assetKey.path.join(" / ")}</Link>),
    sortBy: ({ assetKey }) => assetKey?.path.join("/") ?? "",
  },
  { id: "progress", label: "Progress", least: 250, render: ({ counts }) => <Progress counts={counts} /> },
  ...(["waiting", "inProgress", "materialized", "failed", "skipped", "canceled"] as const).map(
    (name): Column<BackfillTarget> => ({
      id: name,
      label: { waiting: "Waiting", inProgress: "In progress", materialized: "Materialized", failed: "Failed", skipped: "Skipped", canceled: "Canceled" }[name],
      width: "92px",
      align: "right",
      render: ({ counts }) => (counts[name] === 0 ? "" : counts[name].toLocaleString("en")),
      sortBy: ({ counts }) => counts[name],
    }),
  ),
];

function Overview({ backfill }: { backfill: BackfillDetail }) {
  const [, change] = useSearchState();
  const location = backfill.repositoryLocationName;
  const tags = ownTags(backfill.tags);
  return (
    <>
      <Section>
        <div className={css.whole}>
          <Progress counts={backfill.partitionStatusCounts} />
        </div>
        <div className={css.table}>
          <Table
            label="Progress of each asset"
            columns={COLUMNS}
            rows={backfill.assetBackfillStatuses}
            rowKey={({ assetKey }) => assetKey?.path.join("/") ?? ""}
            onRow={({ assetKey }) => change({ tab: "partitions", asset: assetKey?.path.join("/") ?? "" }, { replace: false })}
          />
        </div>
      </Section>
      <Section title="About it">
        <Facts
          facts={[
            [
              "Job",
              backfill.jobName === null || location === null ? (
                backfill.jobName
              ) : (
                <Link key="job" to={links.job(location, backfill.jobName)}>
                  {backfill.jobName}
                </Link>
              ),
            ],
            [
              "Assets",
              backfill.isAssetBackfill ? (
                <span key="assets" className={css.targets}>
                  {(backfill.assetSelection ?? []).slice(0, NAMED).map(({ path }) => (
                    <Link key={path.join("/")} to={links.asset(path)}>
                      {path.join(" / ")}
                    </Link>
                  ))}
                  {backfill.numAssets > NAMED ? <span>and {backfill.numAssets - NAMED} more</span> : null}
                </span>
              ) : null,
            ],
            ["Description", backfill.description],
            ["Partitions", backfill.numPartitions.toLocaleString("en")],
            [
              "Runs",
              <Link key="runs" to={links.runs({ tag: `penstock/backfill:${backfill.id}` })}>
                {backfill.numRuns.toLocaleString("en")} {backfill.numRuns === 1 ? "run" : "runs"}
              </Link>,
            ],
            ["Priority", String(backfill.priority)],
            [
              backfill.fromFailure ? "Makes what was left of" : "Again of",
              backfill.parentBackfillId === null ? null : (
                <Link key="parent" to={links.backfill(backfill.parentBackfillId)}>
                  backfill {shortId(backfill.parentBackfillId)}
                </Link>
              ),
            ],
            [
              "Tags",
              tags.length === 0
                ? null
                : tags.map(({ key, value }) => (
                    <Chip key={key}>
                      {key}: {value}
                    </Chip>
                  )),
            ],
            ["Id", backfill.id],
          ]}
        />
      </Section>
    </>
  );
}

function Runs({ id }: { id: string }) {
  const answer = useData(BACKFILL_RUNS, { id, limit: RUNS }, { live: BACKFILL_TOPICS });
  const found = answer.data?.partitionBackfillOrError;
  if (answer.error) return <Failure error={answer.error} title="The runs could not be read." onRetry={() => void answer.refetch()} />;
  if (!found) return <Skeleton rows={8} />;
  const runs = found.__typename === "PartitionBackfill" ? found.runs : [];
  if (runs.length === 0) {
    return (
      <Empty title="No run yet" icon="runs">
        The daemon makes the runs, each as soon as what it needs is there.
      </Empty>
    );
  }
  return (
    <>
      <RunTable runs={runs} label="Runs of the backfill" stale={answer.isPlaceholderData} />
      {found.__typename === "PartitionBackfill" && found.numRuns > runs.length ? (
        <p className={css.more}>
          The newest {runs.length} of {found.numRuns.toLocaleString("en")}. <Link to={links.runs({ tag: `penstock/backfill:${id}` })}>All its runs</Link>
        </p>
      ) : null}
    </>
  );
}
