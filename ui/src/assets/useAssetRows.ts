/** All assets with their latest state, kept fresh: the same for every page that shows all of them. */
import { useMemo } from "react";

import { ASSET_GRAPH, ASSET_TOPICS } from "../services/assets";
import { useData } from "../services/data";
import { type AssetRow, assetRows } from "./assetRows.model";

interface AssetRows {
  /** In the order of their keys; undefined until the first answer has come. */
  readonly rows: readonly AssetRow[] | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useAssetRows(): AssetRows {
  const { data, error, refetch } = useData(ASSET_GRAPH, {}, { live: ASSET_TOPICS });
  const rows = useMemo(() => data && assetRows(data.assetColumns), [data]);
  return { rows, error, retry: () => void refetch() };
}
