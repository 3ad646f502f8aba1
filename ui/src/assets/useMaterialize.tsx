/** Materializing from any page: at once when nothing is partitioned, else after a choice of partitions. */
import { type ReactNode, useState } from "react";

import type { Box } from "../partitions/partitionGrid.model";
import { toast, toastError } from "../kit/toast";
import { links } from "../links";
import type { AssetRow } from "./assetRows.model";
import { launchBackfill, launchRun } from "../services/launch";
import { shortId } from "../services/run.model";
import { type LaunchOptions, materializable, type PartitionChoice, planLaunch } from "./materialize.model";
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

  const launch = async (assets: readonly AssetRow[], choice: PartitionChoice, options?: LaunchOptions): Promise<void> => {
    setBusy(true);
    try {
      const planned = planLaunch(assets, choice, options);
      const made = await (planned.kind === "run" ? launchRun(planned.params) : launchBackfill(planned.params));
      const [run] = made.runIds;
      if (made.backfillId !== undefined) {
        toast({ text: "The backfill is on its way.", tone: "good", link: { to: links.backfill(made.backfillId), label: "Follow it" } });
      } else if (run !== undefined) {
        toast({ text: `Run ${shortId(run)} is on its way.`, tone: "good", link: { to: links.run(run), label: "Follow it" } });
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
      onLaunch={(choice, options) => void launch(asked.assets, choice, options)}
    />
  );
  return { start, startWithConfig, isBusy, dialog };
}
