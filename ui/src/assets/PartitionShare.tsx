/** How many of an asset's partitions are there, as a number and a thin bar. */
import type { AssetRow } from "./assetRows.model";
import css from "./PartitionShare.module.css";

type Stats = NonNullable<AssetRow["latestInfo"]["partitionStats"]>;

export function PartitionShare({ stats }: { stats: Stats }) {
  const total = Math.max(1, stats.numPartitions);
  const words = `${stats.numMaterialized} of ${stats.numPartitions} materialized, ${stats.numFailed} failed`;
  return (
    <span className={css.share} title={words}>
      <span className={css.bar} aria-hidden="true">
        <span className={css.good} style={{ width: `${(stats.numMaterialized / total) * 100}%` }} />
        <span className={css.busy} style={{ width: `${(stats.numMaterializing / total) * 100}%` }} />
        <span className={css.bad} style={{ width: `${(stats.numFailed / total) * 100}%` }} />
      </span>
      {stats.numMaterialized.toLocaleString("en")} / {stats.numPartitions.toLocaleString("en")}
    </span>
  );
}
