/** An asset as lists and graphs show it, and how rows are made of the columns that all assets are sent in. Pure. */
import type { AssetCard, AssetColumns } from "../services/assets";

/** What lists and graphs show of an asset; everything that is known of one at a glance has this as well. */
export type AssetRow = Pick<
  AssetCard,
  | "assetKey"
  | "description"
  | "groupName"
  | "kinds"
  | "owners"
  | "isExecutable"
  | "isMaterializable"
  | "isPartitioned"
  | "repository"
  | "dependencyKeys"
> & {
  readonly latestInfo: Pick<
    AssetCard["latestInfo"],
    "status" | "latestMaterializationTimestamp" | "failedChecks" | "warnedChecks" | "totalChecks" | "partitionStats"
  >;
};

/** The rows of the columns, in their order. */
export function assetRows(columns: AssetColumns): AssetRow[] {
  const keys = [...columns.path, ...columns.outsidePath].map((path) => ({ path }));
  const locations = new Map(columns.locationName.map((name) => [name, { location: { name } }]));
  return columns.path.map((_, at) => ({
    assetKey: keys[at]!,
    description: columns.description[at]!,
    groupName: columns.groupName[at]!,
    kinds: columns.kinds[at]!,
    owners: columns.owners[at]!,
    isExecutable: columns.isExecutable[at]!,
    isMaterializable: columns.isMaterializable[at]!,
    isPartitioned: columns.isPartitioned[at]!,
    repository: locations.get(columns.locationName[at]!)!,
    dependencyKeys: columns.dependencies[at]!.map((place) => keys[place]!),
    latestInfo: {
      status: columns.status[at]!,
      latestMaterializationTimestamp: columns.latestMaterializationTimestamp[at]!,
      failedChecks: columns.failedChecks[at]!,
      warnedChecks: columns.warnedChecks[at]!,
      totalChecks: columns.totalChecks[at]!,
      partitionStats: columns.partitionStats[at]!,
    },
  }));
}
