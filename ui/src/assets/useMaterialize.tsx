/** Materializing from any page: at once when nothing is partitioned, else after a choice of partitions. */
import { type ReactNode, useState } from "react";

import type { Box } from "../partitions/partitionGrid.model";
import { toast, toastError } from "../kit/toast";
import { links } from "../links";
import type { AssetRow } from "./assetRows.model";
import { launchBackfill, launchRun } from "../services/launch";
import { shortId } from "../services/run.model";
import { materializable, type PartitionChoice, planLaunches } from "./materialize.model";
import { MaterializeDialog } from "./MaterializeDialog";

interface Materialize {
  /** Launches, or opens the dialog first; `chosen` are the partitions to begin the choice with. */
  start: (assets: readonly AssetRow[], chosen?: Box) => void;
  /** Opens the dialog in any case, with the run config in sight. */
  startWithConfig: (assets: readonly AssetRow[]) => void;
  isBusy: boolean;
  /** To be put anywhere in the page. */
  dialog: ReactNode;
}

export function useMaterialize(): Materialize {
  const [asked, setAsked] = useState<{ assets: readonly AssetRow[]; chosen?: Box | undefined; withConfig?: boolean }>();
  const [isBusy, setBusy] = useState(false);

  const launch = async (assets: readonly AssetRow[], choice: PartitionChoice, runConfig?: string): Promise<void> => {
    setBusy(true);
    try {
      for (const each of planLaunches(assets, choice, runConfig)) {
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

  const start = (assets: readonly AssetRow[], chosen?: Box) => {
    const targets = materializable(assets);
    if (targets.length === 0) toast({ text: "None of these assets is made here.", tone: "bad" });
    else if (targets.some((asset) => asset.isPartitioned)) setAsked({ assets: targets, chosen });
    else void launch(targets, { kind: "none" });
  };

  const startWithConfig = (assets: readonly AssetRow[]) => setAsked({ assets: materializable(assets), withConfig: true });

  const dialog = asked && (
    <MaterializeDialog
      assets={asked.assets}
      initial={asked.chosen}
      isBusy={isBusy}
      onClose={() => setAsked(undefined)}
      withConfig={asked.withConfig ?? false}
      onLaunch={(choice, runConfig) => void launch(asked.assets, choice, runConfig)}
    />
  );
  return { start, startWithConfig, isBusy, dialog };
}
