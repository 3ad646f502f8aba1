/** One asset: what it is, what it held last, its partitions, events, checks and neighbours. */
import { useParams } from "@tanstack/react-router";

import { AssetName } from "../../assets/AssetName";
import { keyText } from "../../assets/catalogue.model";
import { useMaterialize } from "../../assets/useMaterialize";
import { Button, IconButton } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Menu } from "../../kit/Menu";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Tabs } from "../../kit/Tabs";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { ASSET_HEAD, ASSET_TOPICS, type AssetCard, type AssetHead } from "../../services/assets";
import { useData } from "../../services/data";
import { launchRun } from "../../services/launch";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import css from "./asset.module.css";
import { Checks } from "./Checks";
import { checksText } from "./checks.model";
import { Evaluations } from "./Evaluations";
import { Events } from "./Events";
import { LineagePeek } from "./LineagePeek";
import { Overview } from "./Overview";
import { Partitions } from "./Partitions";

export default function AssetPage() {
  const { _splat = "" } = useParams({ strict: false }) as { _splat?: string };
  const path = _splat.split("/").filter(Boolean);
  return <AssetView key={keyText(path)} path={path} />;
}

function AssetView({ path }: { path: readonly string[] }) {
  const [{ view = "overview" }, setSearch] = useSearchState();
  const answer = useData(ASSET_HEAD, { key: { path: [...path] } }, { live: ASSET_TOPICS });
  const materialize = useMaterialize();
  const found = answer.data?.assetOrError;
  const asset = found?.__typename === "Asset" ? found : undefined;
  const definition = asset?.definition ?? undefined;
  const checks = definition?.assetChecks ?? [];
  const tabs = [
    { id: "overview", label: "Overview" },
    ...(definition?.isPartitioned ? [{ id: "partitions", label: "Partitions" }] : []),
    { id: "events", label: "Events" },
    ...(checks.length > 0 ? [{ id: "checks", label: "Checks", count: checks.length }] : []),
    ...(definition?.automationCondition ? [{ id: "automation", label: "Automation" }] : []),
    ...(definition ? [{ id: "lineage", label: "Lineage" }] : []),
  ];
  return (
    <Page
      title={path.at(-1) ?? ""}
      crumbs={[{ label: "Assets", to: links.assets() }, ...path.slice(0, -1).map((label) => ({ label }))]}
      beside={definition ? <StatusTag status={definition.latestInfo.status} /> : undefined}
      under={definition ? <Under asset={definition} observedAt={asset?.latestObservationTimestamp ?? null} /> : undefined}
      fill
      actions={
        definition?.isMaterializable ? (
          <>
            <Button
              variant="primary"
              icon="play"
              isDisabled={materialize.isBusy}
              onPress={() => materialize.start([definition])}
            >
              Materialize
            </Button>
            <Menu
              label="More"
              trigger={<IconButton icon="more" label="More ways to materialize" variant="plain" />}
              entries={[
                {
                  id: "config",
                  label: "Materialize with a run config",
                  detail: "Looks at the config first, and lets you change it.",
                  onAction: () => materialize.startWithConfig([definition]),
                },
              ]}
            />
          </>
        ) : definition?.isObservable && definition.isExecutable && !definition.isPartitioned ? (
          <Button variant="primary" icon="play" onPress={() => void observe(definition)}>
            Observe
          </Button>
        ) : undefined
      }
    >
      {answer.error ? (
        <Failure error={answer.error} title="The asset could not be read." onRetry={() => void answer.refetch()} />
      ) : !found ? (
        <Skeleton rows={10} />
      ) : !asset ? (
        <Empty title="No such asset" icon="assets" action={<Link to={links.assets()}>All assets</Link>}>
          <AssetName path={path} /> is neither defined nor known from events.
        </Empty>
      ) : (
        <Tabs
          label="Asset"
          items={tabs}
          selected={view}
          onSelect={(id) => setSearch({ view: id === "overview" ? undefined : id })}
          fill
        >
          {view === "partitions" && definition ? (
            <Partitions asset={definition} onMaterialize={(chosen) => materialize.start([definition], chosen)} />
          ) : view === "events" ? (
            <Events path={path} />
          ) : view === "checks" && definition ? (
            <Checks asset={definition} checks={checks} />
          ) : view === "automation" ? (
            <Evaluations path={path} />
          ) : view === "lineage" && definition ? (
            <LineagePeek path={path} />
          ) : (
            <Overview asset={asset} />
          )}
        </Tabs>
      )}
      {materialize.dialog}
    </Page>
  );
}

async function observe(asset: AssetCard): Promise<void> {
  const selector = {
    repositoryLocationName: asset.repository.location.name,
    assetSelection: [{ path: [...asset.assetKey.path] }],
  };
  try {
    const [runId] = (await launchRun({ selector })).runIds;
    if (runId !== undefined)
      toast({ text: `Run ${shortId(runId)} observes it.`, link: { to: links.run(runId), label: "Follow it" } });
  } catch (error) {
    toastError(error);
  }
}

function Under({ asset, observedAt }: { asset: AssetHead; observedAt: number | null }) {
  const info = asset.latestInfo;
  const checks = checksText(asset.assetChecks);
  const freshness = asset.freshnessStatusInfo?.freshnessStatus;
  const runs = [...info.inProgressRunIds, ...info.unstartedRunIds];
  return (
    <>
      {info.latestMaterializationTimestamp === null ? null : (
        <span>
          Materialized <Time relative at={info.latestMaterializationTimestamp} />
        </span>
      )}
      {asset.isMaterializable || observedAt === null ? null : (
        <span>
          Observed <Time relative at={observedAt} />
        </span>
      )}
      {runs.length > 0 ? (
        <span className={css.work}>
          At work:{" "}
          {runs.slice(0, 3).map((id) => (
            <Link key={id} to={links.run(id)}>
              run {shortId(id)}{" "}
            </Link>
          ))}
          {runs.length > 3 ? `and ${runs.length - 3} more` : ""}
        </span>
      ) : null}
      {freshness === undefined ? null : <StatusTag bare status={`FRESHNESS_${freshness}`} />}
      {checks === null ? null : <StatusTag bare status={checks.status} label={checks.text} />}
    </>
  );
}
