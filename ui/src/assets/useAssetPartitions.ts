/** An asset's partitions: where they stand, which changes all the time, and their keys, which hardly ever do. */
import { useMemo } from "react";

import { rangesOf, type StatusRange } from "../partitions/partitionBar.model";
import { type Dimension, indicesAt, keyAt, positionOf } from "../partitions/partitionGrid.model";
import { ASSET_PARTITION_KEYS, ASSET_PARTITIONS } from "../services/assets";
import { useData } from "../services/data";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";

const NONE: readonly Dimension[] = [];

export interface AssetPartitions {
  readonly total: number;
  readonly ranges: readonly StatusRange[];
  /** One where the set has no several; none until the keys are there. */
  readonly dimensions: readonly Dimension[];
  readonly keyOf: (index: number) => string;
  /** Less than 0 for a key that is none. */
  readonly indexOf: (key: string) => number;
  /** What kind of set they are, in words. */
  readonly description: string;
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
  const listed = useData(ASSET_PARTITION_KEYS, { key }, { live, enabled: total > 0 });
  const listing = listed.data?.assetNodeOrError;
  // The answer of before is shown until there is a new one, but not that of another asset.
  const own = listing?.__typename === "AssetNode" && keyText(listing.assetKey.path) === keyText(key.path) ? listing : undefined;
  const dimensions = useMemo(() => {
    if (own === undefined) return NONE;
    const primary = own.partitionDefinition?.dimensionTypes.find(({ isPrimaryDimension }) => isPrimaryDimension)?.name;
    return own.partitionKeysByDimension.map(({ name, partitionKeys: keys }) => ({ name, keys, isPrimary: name === primary }));
  }, [own]);
  const positions = known?.partitionPositions;
  const ranges = useMemo(() => (positions ? rangesOf(positions) : []), [positions]);
  const { firstKey = null, lastKey = null, description = "" } = known?.partitionDefinition ?? {};
  const isKnown = known !== undefined;
  const found = useMemo(() => {
    if (!isKnown) return undefined;
    const ends: Record<number, string | null> = { [total - 1]: lastKey, 0: firstKey };
    const keyOf = (index: number) => {
      if (dimensions.length === 0) return ends[index] ?? "";
      const indices = indicesAt(dimensions, index);
      return indices.every((at, place) => at < dimensions[place]!.keys.length) ? keyAt(dimensions, indices) : (ends[index] ?? "");
    };
    const indexOf = (text: string) => (dimensions.length === 0 ? -1 : positionOf(dimensions, text));
    return { total, ranges, dimensions, keyOf, indexOf, description };
  }, [isKnown, total, ranges, dimensions, firstKey, lastKey, description]);
  return {
    found,
    error: statuses.error ?? listed.error,
    refetch: () => {
      void statuses.refetch();
      void listed.refetch();
    },
  };
}
