/** Tells which of the chosen assets are not made, since nothing of them follows from the partitions that are chosen. */
import { ASSET_BACKFILL_PREVIEW } from "../services/assets";
import { useData } from "../services/data";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";
import { namedPartitions } from "./materialize.model";
import css from "./MaterializeDialog.module.css";

/** So many are told by name. */
const NAMED = 5;

export function LeftOut({ assets, keys }: { assets: readonly AssetRow[]; keys: readonly string[] }) {
  const assetSelection = assets.map(({ assetKey }) => ({ path: [...assetKey.path] }));
  const answer = useData(ASSET_BACKFILL_PREVIEW, { params: { assetSelection, ...namedPartitions(assets, keys) } });
  if (answer.error) return <p className={css.wrong}>{answer.error.message}</p>;
  if (answer.data === undefined || answer.isPlaceholderData) return null;
  const made = new Set(answer.data.assetBackfillPreview.map(({ assetKey }) => keyText(assetKey.path)));
  const left = assets.map(({ assetKey }) => keyText(assetKey.path)).filter((name) => !made.has(name));
  if (left.length === 0) return null;
  const more = left.length > NAMED ? ` and ${(left.length - NAMED).toLocaleString("en")} more` : "";
  return (
    <p className={css.what} role="status">
      Not made, since none of their partitions follows from these: <b>{left.slice(0, NAMED).join(", ")}</b>
      {more}. Choose “All”, or materialize them by themselves.
    </p>
  );
}
