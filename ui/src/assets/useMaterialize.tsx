/** Materializing from any page: at once when nothing is partitioned, else after a choice of partitions. */
import { type ReactNode, useState } from "react";

import { toast, toastError } from "../kit/toast";
import { links } from "../links";
import type { AssetRow } from "./assetRows.model";
import { launchBackfill, launchRun } from "../services/launch";
import { shortId } from "../services/run.model";
import { materializable, type PartitionChoice, planLaunches } from "./materialize.model";
import { MaterializeDialog } from "./MaterializeDialog";

interface Materialize {
  /** Launches, or opens the dialog first; `keys` are the partitions to begin the choice with. */
  start: (assets: readonly AssetRow[], keys?: readonly string[]) => void;
  isBusy: boolean;
  /** To be put anywhere in the page. */
  dialog: ReactNode;
}

export function useMaterialize(): Materialize {
  const [asked, setAsked] = useState<{ assets: readonly AssetRow[]; keys: readonly string[] }>();
  const [isBusy, setBusy] = useState(false);

  const launch = async (assets: readonly AssetRow[], choice: PartitionChoice): Promise<void> => {
    setBusy(true);
    try {
      for (const each of planLaunches(assets, choice)) {
        const made = await (each.kind === "run" ? launchRun(each.params) : launchBackfill(each.params));
        const [only] = made.runIds;
        toast(
          made.backfillId === undefined && only !== undefined
            ? {
                text: `Run ${shortId(only)} is on its way.`,
                tone: "good",
                link: { to: links.run(only), label: "Follow it" },
              }
            : {
                text: "The backfill is on its way.",
                tone: "good",
                link: { to: links.runs({ tag: `penstock/backfill=${made.backfillId}` }), label: "Follow its runs" },
              },
        );
      }
      setAsked(undefined);
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };

  const start = (assets: readonly AssetRow[], keys: readonly string[] = []) => {
    const targets = materializable(assets);
    if (targets.length === 0) toast({ text: "None of these assets is made here.", tone: "bad" });
    else if (targets.some((asset) => asset.isPartitioned)) setAsked({ assets: targets, keys });
    else void launch(targets, { kind: "none" });
  };

  const dialog = asked && (
    <MaterializeDialog
      assets={asked.assets}
      initialKeys={asked.keys}
      isBusy={isBusy}
      onClose={() => setAsked(undefined)}
      onLaunch={(choice) => void launch(asked.assets, choice)}
    />
  );
  return { start, isBusy, dialog };
}
