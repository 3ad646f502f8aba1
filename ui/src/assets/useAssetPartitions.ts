/** An asset's partitions: where they stand, which changes all the time, and their keys, which hardly ever do. */
import { useMemo } from "react";

import { rangesOf, type StatusRange } from "../kit/partitionBar.model";
import { ASSET_PARTITION_KEYS, ASSET_PARTITIONS } from "../services/assets";
import { useData } from "../services/data";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";

/** As many keys as the server gives at once. */
const MOST_KEYS = 200_000;
const NONE: readonly string[] = [];

export interface AssetPartitions {
  readonly total: number;
  readonly ranges: readonly StatusRange[];
  /** In order; the first ones if there are very many, none until they are there. */
  readonly keys: readonly string[];
  readonly hasKeys: boolean;
  readonly keyOf: (index: number) => string;
  /** What kind of set they are, in words. */
  readonly description: string;
  /** Whether their keys have several dimensions. */
  readonly isMulti: boolean;
}

export function useAssetPartitions(asset: Pick<AssetRow, "assetKey">): {
  found: AssetPartitions | undefined;
  error: Error | null;
  refetch: () => void;
} {
  const key = { path: [...asset.assetKey.path] };
  const statuses = useData(ASSET_PARTITIONS, { key }, { live: ["assets"] });
  const node = statuses.data?.assetNodeOrError;
  const known = node?.__typename === "AssetNode" ? node : undefined;
  const total = known?.partitionStats?.numPartitions ?? 0;
  // A set of times or of fixed keys has other keys when it has more; keys that are added at run time may also be removed.
  const type = known?.partitionDefinition?.type;
  const live = type === "DYNAMIC" || type === "MULTIPARTITIONED" ? ["assets"] : [];
  const listed = useData(
    ASSET_PARTITION_KEYS,
    { key, limit: Math.min(total, MOST_KEYS) },
    { live, enabled: total > 0 },
  );
  const listing = listed.data?.assetNodeOrError;
  // The answer of before is shown until there is a new one, but not that of another asset.
  const isOwn = listing?.__typename === "AssetNode" && keyText(listing.assetKey.path) === keyText(key.path);
  const keys = isOwn ? listing.partitionKeyConnection.partitionKeys : NONE;
  const positions = known?.partitionPositions;
  const ranges = useMemo(() => (positions ? rangesOf(positions) : []), [positions]);
  const ends: Record<number, string | null | undefined> = {
    [total - 1]: known?.partitionDefinition?.lastKey,
    0: known?.partitionDefinition?.firstKey,
  };
  const keyOf = (index: number) => keys[index] ?? ends[index] ?? "";
  return {
    found: known && {
      total,
      ranges,
      keys,
      hasKeys: total === 0 || keys.length > 0,
      keyOf,
      description: known.partitionDefinition?.description ?? "",
      isMulti: type === "MULTIPARTITIONED",
    },
    error: statuses.error ?? listed.error,
    refetch: () => {
      void statuses.refetch();
      void listed.refetch();
    },
  };
}
