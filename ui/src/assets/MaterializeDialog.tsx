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
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";
import { type PartitionChoice, runsWord } from "./materialize.model";
import css from "./MaterializeDialog.module.css";
import { type AssetPartitions, useAssetPartitions } from "./useAssetPartitions";

interface MaterializeDialogProps {
  assets: readonly AssetRow[];
  initialKeys: readonly string[];
  isBusy: boolean;
  onClose: () => void;
  onLaunch: (choice: PartitionChoice) => void;
}

type Which = "missing" | "all" | "latest" | "stretch";

const NAMED = 12;
const NOTHING: AssetPartitions = {
  total: 0,
  ranges: [],
  keys: [],
  hasKeys: false,
  keyOf: () => "",
  description: "",
  isMulti: false,
};

export function MaterializeDialog({ assets, initialKeys, isBusy, onClose, onLaunch }: MaterializeDialogProps) {
  const partitioned = assets.find((asset) => asset.isPartitioned)!;
  const { found, error } = useAssetPartitions(partitioned);
  const { keys, ranges, total, hasKeys, keyOf, description, isMulti } = found ?? NOTHING;
  const isMixed = assets.some((asset) => !asset.isPartitioned);
  const [chosenWhich, setWhich] = useState<Which | null>(initialKeys.length > 0 ? "stretch" : isMixed ? "all" : null);
  const [inOne, setInOne] = useState(isMixed);
  const [ends, setEnds] = useState<readonly [string, string]>([initialKeys[0] ?? "", initialKeys.at(-1) ?? ""]);
  const counts = countStatuses(ranges, total);
  const isWhole = total > 0 && counts.MISSING + counts.FAILED === 0;
  const which = chosenWhich ?? (isWhole ? "latest" : "missing");
  const first = keys.indexOf(ends[0]);
  const last = keys.indexOf(ends[1] || ends[0]);
  const stretch = first >= 0 && last >= first ? keys.slice(first, last + 1) : [];
  const wanted = {
    missing: counts.MISSING + counts.FAILED,
    all: total,
    latest: Math.min(1, total),
    stretch: stretch.length,
  }[which];
  // A run over several dimensions works on a stretch of each, which is not what neighbours in the list are.
  const canBeOne = which === "all" || !isMulti;
  const several = canBeOne && { all: total, stretch: stretch.length, missing: 0, latest: 0 }[which] > 1;
  const asOne = inOne && several;
  const launch = () => {
    const [from, to] = which === "all" ? [0, total - 1] : [first, last];
    if (asOne) onLaunch({ kind: "range", first: keyOf(from), last: keyOf(to) });
    else if (which === "missing" || which === "all") onLaunch({ kind: which });
    else onLaunch({ kind: "keys", keys: which === "latest" ? [keyOf(total - 1)] : stretch });
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
          <Button variant="primary" icon="play" isDisabled={isBusy || wanted === 0 || !hasKeys} onPress={launch}>
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
        {error ? <Failure error={error} title="The partitions could not be read." /> : null}
        {!found && !error ? <Skeleton rows={4} /> : null}
        {found ? (
          <>
            <p className={css.what}>
              Partitions of <b>{name}</b>: {description}
            </p>
            <PartitionBar
              label={`Partitions of ${name}`}
              total={total}
              ranges={ranges}
              keyOf={keyOf}
              chosen={which === "stretch" && stretch.length > 0 ? [first, last] : undefined}
              onChoose={(chosen) => {
                setWhich("stretch");
                setEnds(chosen ? [keyOf(chosen[0]), keyOf(chosen[1])] : ["", ""]);
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
                { value: "all", label: "All", detail: `${total}` },
                { value: "latest", label: "Latest", detail: keyOf(total - 1) || "none" },
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
