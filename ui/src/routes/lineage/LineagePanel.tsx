/** What is known of the chosen nodes, beside the graph. */
import { AssetName } from "../../assets/AssetName";
import type { AssetRow } from "../../assets/assetRows.model";
import { keyText } from "../../assets/catalogue.model";
import { checkTrouble } from "../../assets/checks.model";
import { PartitionShare } from "../../assets/PartitionShare";
import { IconButton } from "../../kit/Button";
import { Failure } from "../../kit/ErrorPanel";
import { Chip, Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { Markdown } from "../../metadata/Markdown";
import { ASSET_AT_A_GLANCE, ASSET_TOPICS, type AssetCard } from "../../services/assets";
import { useData } from "../../services/data";
import { shortId } from "../../services/run.model";
import css from "./lineage.module.css";

interface LineagePanelProps {
  assets: readonly AssetRow[];
  /** Chosen keys that no code location defines. */
  outside: readonly string[];
  onClose: () => void;
}

export function LineagePanel({ assets, outside, onClose }: LineagePanelProps) {
  const [only] = assets;
  return (
    <aside className={css.panel} aria-label="Chosen assets">
      <header className={css.head}>
        <h2>{assets.length + outside.length === 1 ? "Chosen asset" : `${assets.length + outside.length} chosen`}</h2>
        <IconButton icon="close" label="Choose nothing" onPress={onClose} />
      </header>
      {assets.length === 1 && outside.length === 0 && only ? (
        <Chosen path={only.assetKey.path} />
      ) : (
        <ul className={css.list}>
          {assets.map((asset) => (
            <li key={keyText(asset.assetKey.path)}>
              <Link to={links.asset(asset.assetKey.path)}>
                <AssetName path={asset.assetKey.path} />
              </Link>
              <StatusTag bare status={asset.latestInfo.status} />
            </li>
          ))}
          {outside.map((id) => (
            <li key={id}>
              <span>{id}</span>
              <StatusTag bare status="EXTERNAL" />
            </li>
          ))}
        </ul>
      )}
    </aside>
  );
}

function Chosen({ path }: { path: readonly string[] }) {
  const { data, error } = useData(ASSET_AT_A_GLANCE, { key: { path: [...path] } }, { live: ASSET_TOPICS });
  const found = data?.assetNodeOrError;
  if (error) return <Failure error={error} title="The asset could not be read." />;
  return found?.__typename === "AssetNode" ? <Details asset={found} /> : <Skeleton rows={6} />;
}

function Details({ asset }: { asset: AssetCard }) {
  const info = asset.latestInfo;
  const trouble = checkTrouble(info);
  const running = [...info.inProgressRunIds, ...info.unstartedRunIds];
  return (
    <>
      <p className={css.name}>
        <Link to={links.asset(asset.assetKey.path)}>
          <AssetName path={asset.assetKey.path} />
        </Link>
      </p>
      <StatusTag status={info.status} />
      {asset.description ? <Markdown source={asset.description} /> : null}
      <Facts
        facts={[
          [
            "Materialized",
            info.latestMaterializationTimestamp === null ? null : (
              <Time relative at={info.latestMaterializationTimestamp} />
            ),
          ],
          ["Partitions", info.partitionStats ? <PartitionShare stats={info.partitionStats} /> : null],
          [
            "Checks",
            info.totalChecks === 0 ? null : trouble === null ? (
              `${info.totalChecks}`
            ) : (
              <StatusTag key="checks" bare status={trouble.status} label={`${trouble.text} of ${info.totalChecks}`} />
            ),
          ],
          [
            "Latest run",
            info.latestRun ? <Link to={links.run(info.latestRun.runId)}>{shortId(info.latestRun.runId)}</Link> : null,
          ],
          [
            "At work",
            running.length === 0
              ? null
              : running.slice(0, 5).map((id) => (
                  <Link key={id} to={links.run(id)}>
                    {shortId(id)}{" "}
                  </Link>
                )),
          ],
          ["Group", asset.groupName],
          ["Kinds", asset.kinds.length === 0 ? null : asset.kinds.map((kind) => <Chip key={kind}>{kind}</Chip>)],
          ["Owners", asset.owners.length === 0 ? null : asset.owners.map((owner) => <Chip key={owner}>{owner}</Chip>)],
          [
            "Reads",
            asset.dependencyKeys.length === 0 ? null : asset.dependencyKeys.map(({ path }) => keyText(path)).join(", "),
          ],
          ["Location", asset.repository.location.name],
        ]}
      />
    </>
  );
}
