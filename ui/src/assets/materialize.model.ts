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

type Materializable = Pick<AssetRow, "assetKey" | "dependencyKeys" | "isMaterializable" | "isPartitioned" | "repository">;

/** The assets that can be made at all; the rest are only read. */
export function materializable<A extends Materializable>(assets: readonly A[]): A[] {
  return assets.filter((asset) => asset.isMaterializable);
}

/** What else a launch is given. */
export interface LaunchOptions {
  /** Holds for all runs. */
  readonly runConfig?: string | undefined;
  /** What people see as the name of a backfill. */
  readonly title?: string | undefined;
}

/**
 * How the assets are made: by one run where one is enough, else by a backfill, which makes each partition of each asset
 * when what it reads is there, whatever their partition sets and code locations are.
 */
export function planLaunch(assets: readonly Materializable[], choice: PartitionChoice, { runConfig, title }: LaunchOptions = {}): Launch {
  const chosen = materializable(assets);
  const repositoryLocationName = locationOf(chosen);
  const assetSelection = chosen.map((asset) => ({ path: [...asset.assetKey.path] }));
  const config = runConfig === undefined ? {} : { runConfigData: runConfig };
  const partitioned = chosen.filter((asset) => asset.isPartitioned).length;
  if (repositoryLocationName !== undefined) {
    const run = { selector: { repositoryLocationName, assetSelection }, ...config };
    if (choice.kind === "none" || partitioned === 0) return { kind: "run", params: run };
    if (choice.kind === "range") return { kind: "run", params: { ...run, executionMetadata: { tags: rangeTags(choice.first, choice.last) } } };
    if (choice.kind === "keys" && choice.keys.length === 1 && partitioned === 1) return { kind: "run", params: { ...run, partition: choice.keys[0]! } };
  }
  const which = choice.kind === "keys" ? namedPartitions(chosen, choice.keys) : { allPartitions: true, onlyMissing: choice.kind === "missing" };
  return { kind: "backfill", params: { assetSelection, ...config, ...which, ...(title ? { title } : {}) } };
}

/** The partitioned asset whose partitions are chosen: one that reads none of the others that are partitioned. */
export function firstPartitioned<A extends Pick<AssetRow, "assetKey" | "isPartitioned" | "dependencyKeys">>(assets: readonly A[]): A | undefined {
  const partitioned = assets.filter((asset) => asset.isPartitioned);
  const keys = new Set(partitioned.map(({ assetKey }) => assetKey.path.join("/")));
  return partitioned.find(({ dependencyKeys }) => !dependencyKeys.some(({ path }) => keys.has(path.join("/")))) ?? partitioned[0];
}

/** Partitions by their keys: those of the asset that they are chosen of, and of the others what follows from them. */
export function namedPartitions(
  assets: readonly Pick<AssetRow, "assetKey" | "isPartitioned" | "dependencyKeys">[],
  keys: readonly string[],
): { partitionNames: string[]; partitionsOf?: { path: string[] } } {
  const first = assets.length > 1 ? firstPartitioned(assets) : undefined;
  return { partitionNames: [...keys], ...(first === undefined ? {} : { partitionsOf: { path: [...first.assetKey.path] } }) };
}

/**
 * Whether one run can make several partitions of all of them: they are of one code location, and those that are
 * partitioned have the same partitions.
 *
 * @param setIds - Of each partitioned asset, which partitions it has; undefined while that is not known.
 */
export function fitOneRun(
  assets: readonly Pick<AssetRow, "assetKey" | "isPartitioned" | "repository">[],
  setIds: readonly (string | null)[] | undefined,
): boolean {
  if (locationOf(assets) === undefined) return false;
  const partitioned = assets.filter((asset) => asset.isPartitioned).length;
  return partitioned <= 1 || (setIds !== undefined && setIds.length === partitioned && new Set(setIds).size === 1);
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
