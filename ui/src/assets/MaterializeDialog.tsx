/** Chooses the partitions of a materialization: missing ones, all, the latest, or a stretch. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Failure } from "../kit/ErrorPanel";
import { Chip } from "../kit/Facts";
import { PartitionBar } from "../kit/PartitionBar";
import { countStatuses } from "../kit/partitionBar.model";
import { RadioList } from "../kit/RadioList";
import { Skeleton } from "../kit/Skeleton";
import { TextInput } from "../kit/TextInput";
import { ASSET_PARTITIONS, type AssetCard } from "../services/assets";
import { useData } from "../services/data";
import { keyText } from "./catalogue.model";
import { type PartitionChoice, runsWord } from "./materialize.model";
import css from "./MaterializeDialog.module.css";

interface MaterializeDialogProps {
  assets: readonly AssetCard[];
  initialKeys: readonly string[];
  isBusy: boolean;
  onClose: () => void;
  onLaunch: (choice: PartitionChoice) => void;
}

type Which = "missing" | "all" | "latest" | "stretch";

const NAMED = 12;

export function MaterializeDialog({ assets, initialKeys, isBusy, onClose, onLaunch }: MaterializeDialogProps) {
  const partitioned = assets.find((asset) => asset.isPartitioned)!;
  const answer = useData(ASSET_PARTITIONS, { key: { path: [...partitioned.assetKey.path] } }, { live: ["assets"] });
  const node = answer.data?.assetNodeOrError;
  const found = node?.__typename === "AssetNode" ? node : undefined;
  const keys = found?.partitionKeyConnection.partitionKeys ?? [];
  const isMixed = assets.some((asset) => !asset.isPartitioned);
  const [chosenWhich, setWhich] = useState<Which | null>(initialKeys.length > 0 ? "stretch" : isMixed ? "all" : null);
  const [inOne, setInOne] = useState(isMixed);
  const [ends, setEnds] = useState<readonly [string, string]>([initialKeys[0] ?? "", initialKeys.at(-1) ?? ""]);
  const counts = countStatuses(found?.partitionRanges ?? [], keys.length);
  const isWhole = keys.length > 0 && counts.MISSING + counts.FAILED === 0;
  const which = chosenWhich ?? (isWhole ? "latest" : "missing");
  const first = keys.indexOf(ends[0]);
  const last = keys.indexOf(ends[1] || ends[0]);
  const stretch = first >= 0 && last >= first ? keys.slice(first, last + 1) : [];
  const wanted = {
    missing: counts.MISSING + counts.FAILED,
    all: keys.length,
    latest: Math.min(1, keys.length),
    stretch: stretch.length,
  }[which];
  // A run over several dimensions works on a stretch of each, which is not what neighbours in the list are.
  const canBeOne = which === "all" || partitioned.partitionDefinition?.type !== "MULTIPARTITIONED";
  const several = canBeOne && (which === "all" ? keys : which === "stretch" ? stretch : []).length > 1;
  const asOne = inOne && several;
  const launch = () => {
    const chosen = which === "all" ? keys : stretch;
    if (asOne) onLaunch({ kind: "range", first: chosen[0]!, last: chosen.at(-1)! });
    else if (which === "missing" || which === "all") onLaunch({ kind: which });
    else onLaunch({ kind: "keys", keys: which === "latest" ? keys.slice(-1) : stretch });
  };
  const name = keyText(partitioned.assetKey.path);
  return (
    <Dialog
      title={assets.length === 1 ? `Materialize ${name}` : `Materialize ${assets.length} assets`}
      size="medium"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" icon="play" isDisabled={isBusy || wanted === 0} onPress={launch}>
            {!found ? "Launch" : asOne || wanted <= 1 ? `Launch ${runsWord(asOne ? 1 : wanted)}` : `Launch ${wanted.toLocaleString("en")} partitions`}
          </Button>
        </>
      }
    >
      <div className={css.body}>
        {assets.length > 1 ? (
          <p className={css.assets}>
            {assets.slice(0, NAMED).map((asset) => (
              <Chip key={keyText(asset.assetKey.path)}>{keyText(asset.assetKey.path)}</Chip>
            ))}
            {assets.length > NAMED ? <span>and {assets.length - NAMED} more</span> : null}
          </p>
        ) : null}
        {answer.error ? <Failure error={answer.error} title="The partitions could not be read." /> : null}
        {!found && !answer.error ? <Skeleton rows={4} /> : null}
        {found ? (
          <>
            <p className={css.what}>
              Partitions of <b>{name}</b>: {partitioned.partitionDefinition?.description}
            </p>
            <PartitionBar
              label={`Partitions of ${name}`}
              total={keys.length}
              ranges={found.partitionRanges}
              keyOf={(index) => keys[index] ?? ""}
              chosen={which === "stretch" && stretch.length > 0 ? [first, last] : undefined}
              onChoose={(chosen) => {
                setWhich("stretch");
                setEnds(chosen ? [keys[chosen[0]] ?? "", keys[chosen[1]] ?? ""] : ["", ""]);
              }}
            />
            <RadioList
              label="Which partitions"
              value={which}
              onChange={(value) => setWhich(value as Which)}
              options={[
                {
                  value: "missing",
                  label: "Missing and failed",
                  detail: `${counts.MISSING} missing, ${counts.FAILED} failed`,
                },
                { value: "all", label: "All", detail: `${keys.length}` },
                { value: "latest", label: "Latest", detail: keys.at(-1) ?? "none" },
                {
                  value: "stretch",
                  label: "A stretch",
                  detail: stretch.length > 0 ? `${stretch.length} partitions` : "drag over the bar, or name both ends",
                },
              ]}
            />
            {which === "stretch" ? (
              <div className={css.ends}>
                <TextInput
                  label="From"
                  value={ends[0]}
                  list="partition-keys"
                  onChange={(key) => setEnds([key, ends[1]])}
                />
                <TextInput
                  label="To"
                  value={ends[1]}
                  list="partition-keys"
                  onChange={(key) => setEnds([ends[0], key])}
                />
                <datalist id="partition-keys">
                  {keys.slice(-400).map((key) => (
                    <option key={key} value={key} />
                  ))}
                </datalist>
                {ends[0] !== "" && stretch.length === 0 ? (
                  <p className={css.wrong}>No such stretch of partitions.</p>
                ) : null}
              </div>
            ) : null}
            {several ? (
              <RadioList
                label="Runs"
                value={inOne ? "one" : "each"}
                onChange={(value) => setInOne(value === "one")}
                options={[
                  {
                    value: "each",
                    label: "As the assets' backfill policies say",
                    detail: "a run for each partition where they say nothing",
                  },
                  {
                    value: "one",
                    label: "One run for all of them",
                    detail: "for assets that make several partitions at once",
                  },
                ]}
              />
            ) : null}
          </>
        ) : null}
      </div>
    </Dialog>
  );
}
