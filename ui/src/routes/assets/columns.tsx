/** The columns of the asset catalogue. */
import { AssetName } from "../../assets/AssetName";
import type { AssetRow } from "../../assets/assetRows.model";
import { keyText } from "../../assets/catalogue.model";
import { checkTrouble } from "../../assets/checks.model";
import { PartitionShare } from "../../assets/PartitionShare";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { StatusTag } from "../../kit/StatusTag";
import type { Column } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { links } from "../../links";

export const assetColumns: readonly Column<AssetRow>[] = [
  {
    id: "asset",
    label: "Asset",
    least: 250,
    sortBy: (asset) => keyText(asset.assetKey.path),
    render: (asset) => (
      <>
        <Link bare to={links.asset(asset.assetKey.path)}>
          <AssetName path={asset.assetKey.path} />
        </Link>{" "}
        {asset.kinds.map((kind) => (
          <Chip key={kind}>{kind}</Chip>
        ))}
      </>
    ),
  },
  { id: "group", label: "Group", width: "13%", sortBy: (asset) => asset.groupName, render: (asset) => asset.groupName },
  {
    id: "status",
    label: "Status",
    width: "138px",
    sortBy: (asset) => asset.latestInfo.status,
    render: (asset) => <StatusTag bare status={asset.latestInfo.status} />,
  },
  {
    id: "materialized",
    label: "Materialized",
    width: "116px",
    sortBy: (asset) => asset.latestInfo.latestMaterializationTimestamp,
    render: (asset) => <Time relative at={asset.latestInfo.latestMaterializationTimestamp} />,
  },
  {
    id: "partitions",
    label: "Partitions",
    width: "154px",
    sortBy: ({ latestInfo: { partitionStats } }) =>
      partitionStats === null ? null : partitionStats.numMaterialized / Math.max(1, partitionStats.numPartitions),
    render: ({ latestInfo: { partitionStats } }) =>
      partitionStats === null ? "" : <PartitionShare stats={partitionStats} />,
  },
  {
    id: "checks",
    label: "Checks",
    width: "124px",
    // One that failed weighs more than any number that only warned.
    sortBy: ({ latestInfo: { failedChecks, warnedChecks, totalChecks } }) =>
      totalChecks === 0 ? null : (failedChecks - warnedChecks) * 1_000 + warnedChecks,
    render: ({ latestInfo }) => {
      const { totalChecks } = latestInfo;
      const trouble = checkTrouble(latestInfo);
      if (totalChecks === 0) return "";
      if (trouble !== null) return <StatusTag bare status={trouble.status} label={trouble.text} />;
      return totalChecks === 1 ? "1 check" : `${totalChecks} checks`;
    },
  },
];
