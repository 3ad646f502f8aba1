/** The asset at a glance: the latest materialization with its metadata, numbers over time, and the definition. */
import { keyText } from "../../assets/catalogue.model";
import { conditionText } from "../../assets/automation.model";
import { freshText } from "../../assets/freshness.model";
import { staleText } from "../../assets/staleness.model";
import { Breakable } from "../../kit/Breakable";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip, Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { Duration, Time } from "../../kit/Time";
import { links } from "../../links";
import { Markdown } from "../../metadata/Markdown";
import { MetadataView } from "../../metadata/MetadataView";
import { Plots } from "../../metadata/Plots";
import { ASSET_OVERVIEW } from "../../services/assets";
import { useData } from "../../services/data";
import { shortId } from "../../services/run.model";
import type { AssetHeadQuery, AssetOverviewQuery } from "../../services/schema.gen";
import { bytesText } from "../../services/size.model";
import css from "./asset.module.css";

type Asset = Extract<AssetHeadQuery["assetOrError"], { __typename: "Asset" }>;

export function Overview({ asset }: { asset: Asset }) {
  const answer = useData(ASSET_OVERVIEW, { key: { path: asset.key.path } }, { live: ["assets"] });
  const found = answer.data?.assetOrError;
  const events = found?.__typename === "Asset" ? found : undefined;
  const isMade = asset.definition?.isMaterializable ?? true;
  const latest = isMade ? events?.latest[0] : (events?.observed[0] ?? events?.latest[0]);
  return (
    <div className={css.overview}>
      <div className={css.main}>
        {asset.definition?.description ? (
          <Section title="Description">
            <Markdown source={asset.definition.description} />
          </Section>
        ) : null}
        {answer.error ? <Failure error={answer.error} title="The latest event could not be read." /> : null}
        {!events && !answer.error ? <Skeleton rows={6} /> : null}
        {events && !latest && isMade ? (
          <Empty title="Never materialized" icon="assets">
            Materialize it, and what it held then is told here: its metadata, its numbers over time, its run.
          </Empty>
        ) : null}
        {events && !latest && !isMade ? (
          <Empty title="Made elsewhere" icon="assets">
            What is observed of it, or reported from outside, is told here.
          </Empty>
        ) : null}
        {latest ? (
          <Section
            title={isMade || !events?.observed[0] ? "Latest materialization" : "Latest observation"}
            actions={
              <span className={css.quiet}>
                <Time at={Number(latest.timestamp) / 1000} />
                {latest.partition === null ? null : ` · ${latest.partition}`}
                <Cost step={isMade ? (events?.latest[0]?.stepStats ?? null) : null} />
                {latest.runId ? (
                  <>
                    {" · "}
                    <Link to={links.run(latest.runId)}>run {shortId(latest.runId)}</Link>
                  </>
                ) : null}
              </span>
            }
          >
            {latest.description ? <p className={css.words}>{latest.description}</p> : null}
            {latest.metadataEntries.length > 0 ? (
              <MetadataView entries={latest.metadataEntries} />
            ) : (
              <p className={css.quiet}>It attached no metadata.</p>
            )}
          </Section>
        ) : null}
        {events && events.history.length > 0 ? (
          <Section title="Numbers">
            <Plots events={events.history} isPartitioned={asset.definition?.isPartitioned ?? false} />
          </Section>
        ) : null}
      </div>
      <aside className={css.side} aria-label="Definition">
        {asset.definition ? <Definition definition={asset.definition} /> : <Undefined />}
      </aside>
    </div>
  );
}

/** What Penstock makes up itself is a long digest: its beginning is enough to tell two apart. */
function DataVersion({ text }: { text: string }) {
  const isDigest = /^[0-9a-f]{64}$/.test(text);
  return (
    <code title={text}>
      <Breakable text={isDigest ? `${text.slice(0, 12)}…` : text} />
    </code>
  );
}

function Undefined() {
  return (
    <Section title="Definition">
      <p className={css.quiet}>No loaded code location defines this asset; it is known from its events alone.</p>
    </Section>
  );
}

function Definition({ definition }: { definition: NonNullable<Asset["definition"]> }) {
  const location = definition.repository.location.name;
  const tags = definition.tags.filter(({ key }) => !key.startsWith("penstock/"));
  const jobs = definition.jobNames.filter((name) => !name.startsWith("__"));
  const keys = (list: readonly { path: string[] }[]) =>
    list.length === 0 ? null : (
      <ul className={css.keys}>
        {list.map(({ path }) => (
          <li key={keyText(path)}>
            <Link to={links.asset(path)}>
              <Breakable text={keyText(path)} />
            </Link>
          </li>
        ))}
      </ul>
    );
  return (
    <>
      <Section title="Definition">
        <Facts
          facts={[
            [
              "Group",
              <Link key="group" to={links.assets({ group: definition.groupName })}>
                {definition.groupName}
              </Link>,
            ],
            [
              "Kinds",
              definition.kinds.length === 0 ? null : definition.kinds.map((kind) => <Chip key={kind}>{kind}</Chip>),
            ],
            ["Owners", definition.owners.length === 0 ? null : definition.owners.map((owner) => <Chip key={owner}>{owner}</Chip>)],
            ["Partitions", definition.partitionDefinition?.description],
            ["Checks", definition.assetChecks.length === 0 ? null : String(definition.assetChecks.length)],
            ["Op", definition.opName],
            [
              "Jobs",
              jobs.length === 0
                ? null
                : jobs.map((name) => (
                    <Link key={name} to={links.job(location, name)}>
                      {name}{" "}
                    </Link>
                  )),
            ],
            ["IO manager", definition.ioManagerKey],
            ["Code version", definition.codeVersion],
            ["Data version", definition.dataVersion === null ? null : <DataVersion key="data" text={definition.dataVersion} />],
            ["Up to date", staleText(definition.staleStatus, definition.staleCauses, definition.assetKey.path)],
            [
              "Fresh",
              definition.freshnessStatusInfo && definition.internalFreshnessPolicy
                ? freshText(definition.freshnessStatusInfo.freshnessStatus, definition.internalFreshnessPolicy)
                : null,
            ],
            [
              "Automation",
              definition.automationCondition === null ? null : conditionText(definition.automationCondition),
            ],
            ["Source", definition.sourceRef === null ? null : <code key="source"><Breakable text={definition.sourceRef} /></code>],
            [
              "Location",
              <Link key="location" to={links.deployment()}>
                {location}
              </Link>,
            ],
            [
              "Tags",
              tags.length === 0
                ? null
                : tags.map((tag) => <Chip key={tag.key}>{tag.value ? `${tag.key}: ${tag.value}` : tag.key}</Chip>),
            ],
          ]}
        />
      </Section>
      {definition.metadataEntries.length > 0 ? (
        <Section title="Metadata of the definition">
          <MetadataView entries={definition.metadataEntries} />
        </Section>
      ) : null}
      <Section
        title="Lineage"
        actions={<Link to={links.lineage({ focus: keyText(definition.assetKey.path), depth: 2 })}>Show in graph</Link>}
      >
        <Facts
          facts={[
            ["Reads", keys(definition.dependencyKeys) ?? "nothing"],
            ["Read by", keys(definition.dependedByKeys) ?? "nothing"],
          ]}
        />
      </Section>
    </>
  );
}

type Step = Extract<AssetOverviewQuery["assetOrError"], { __typename: "Asset" }>["latest"][number]["stepStats"];

/** What making it cost: its step's time and, where the step had a process of its own, its memory. */
function Cost({ step }: { step: Step }) {
  if (step === null || step.startTime === null || step.endTime === null) return null;
  const figures = step.attempts.findLast((attempt) => attempt.figures !== null)?.figures;
  const peak = figures && !figures.shared ? figures.peakMemory : null;
  return (
    <>
      {" · took "}
      <Duration from={step.startTime} to={step.endTime} />
      {peak === null ? null : ` · peak memory ${bytesText(peak)}`}
    </>
  );
}
