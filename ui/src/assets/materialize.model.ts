/** Decides which launches materialize a choice of assets and partitions. Pure. */
import type { AssetRow } from "./assetRows.model";
import { rangeTags } from "../services/partition.model";
import type { ExecutionParams, LaunchBackfillParams } from "../services/schema.gen";

/**
 * Which partitions: none (nothing is partitioned), all, all that are missing or failed, or those named, each in a run
 * of its own; or a range of them in one run, for assets that make several partitions at once.
 */
export type PartitionChoice =
  | { readonly kind: "none" | "all" | "missing" }
  | { readonly kind: "keys"; readonly keys: readonly string[] }
  | { readonly kind: "range"; readonly first: string; readonly last: string };

export type Launch =
  | { readonly kind: "run"; readonly params: ExecutionParams }
  | { readonly kind: "backfill"; readonly params: LaunchBackfillParams };

type Materializable = Pick<AssetRow, "assetKey" | "isMaterializable" | "isPartitioned" | "repository">;

/** The assets that can be made at all; the rest are only read. */
export function materializable<A extends Materializable>(assets: readonly A[]): A[] {
  return assets.filter((asset) => asset.isMaterializable);
}

/**
 * One launch for each code location.
 *
 * A location whose chosen assets have no partitions gets one run, and so does a choice of one partition or of a
 * range; several partitions are one backfill. A run config holds for all runs.
 */
export function planLaunches(assets: readonly Materializable[], choice: PartitionChoice, runConfigData?: string): Launch[] {
  const byLocation = new Map<string, Materializable[]>();
  for (const asset of materializable(assets)) {
    const location = asset.repository.location.name;
    byLocation.set(location, [...(byLocation.get(location) ?? []), asset]);
  }
  return [...byLocation].map(([repositoryLocationName, chosen]): Launch => {
    const assetSelection = chosen.map((asset) => ({ path: [...asset.assetKey.path] }));
    const config = runConfigData === undefined ? {} : { runConfigData };
    const run = (partition?: string): Launch => ({
      kind: "run",
      params: {
        selector: { repositoryLocationName, assetSelection },
        ...config,
        ...(partition === undefined ? {} : { partition }),
      },
    });
    if (choice.kind === "none" || !chosen.some((asset) => asset.isPartitioned)) return run();
    if (choice.kind === "keys" && choice.keys.length === 1) return run(choice.keys[0]!);
    if (choice.kind === "range") {
      const tags = rangeTags(choice.first, choice.last);
      return {
        kind: "run",
        params: { selector: { repositoryLocationName, assetSelection }, ...config, executionMetadata: { tags } },
      };
    }
    const which =
      choice.kind === "keys"
        ? { partitionNames: [...choice.keys] }
        : { allPartitions: true, onlyMissing: choice.kind === "missing" };
    return { kind: "backfill", params: { repositoryLocationName, assetSelection, ...config, ...which } };
  });
}

/** How many runs a choice makes for one location, as far as it is known before the launch. */
export function runsWord(count: number): string {
  return count === 1 ? "1 run" : `${count.toLocaleString("en")} runs`;
}

/** The one code location that all of them are of; undefined when they are of several. */
export function locationOf(assets: readonly Pick<AssetRow, "repository">[]): string | undefined {
  const [first, ...others] = new Set(assets.map((asset) => asset.repository.location.name));
  return others.length === 0 ? first : undefined;
}
