/** Chooses the partitions of a materialization: missing ones, all, the latest, or a part. */
import { useState } from "react";

import { Failure } from "../kit/ErrorPanel";
import { countStatuses } from "../partitions/partitionBar.model";
import { type Box, endsOf, keysOf, sizeOf } from "../partitions/partitionGrid.model";
import { RadioList } from "../kit/RadioList";
import { Skeleton } from "../kit/Skeleton";
import { TextInput } from "../kit/TextInput";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";
import { LaunchFrame } from "./LaunchFrame";
import { LeftOut } from "./LeftOut";
import { firstPartitioned, fitOneRun, type LaunchOptions, type PartitionChoice, runsWord } from "./materialize.model";
import css from "./MaterializeDialog.module.css";
import { PartitionPicker } from "../partitions/PartitionPicker";
import { ASSET_PARTITION_SETS } from "../services/assets";
import { useData } from "../services/data";
import { useAssetPartitions } from "./useAssetPartitions";

interface MaterializeDialogProps {
  assets: readonly AssetRow[];
  /** The partitions that are chosen at first. */
  initial: Box | undefined;
  isBusy: boolean;
  /** The run config is in sight from the beginning. */
  withConfig: boolean;
  onClose: () => void;
  onLaunch: (choice: PartitionChoice, options: LaunchOptions) => void;
}

export function MaterializeDialog(props: MaterializeDialogProps) {
  const { assets, onLaunch } = props;
  const partitioned = firstPartitioned(assets);
  return partitioned === undefined ? (
    <LaunchFrame {...props} deed="Launch 1 run" isReady onLaunch={(runConfig) => onLaunch({ kind: "none" }, { runConfig })} />
  ) : (
    <PartitionsDialog {...props} partitioned={partitioned} />
  );
}

type Which = "missing" | "all" | "latest" | "part";

const NONE: readonly string[] = [];

function PartitionsDialog(props: MaterializeDialogProps & { partitioned: AssetRow }) {
  const { assets, partitioned, initial, onLaunch } = props;
  const { found, error } = useAssetPartitions(partitioned);
  const setIds = usePartitionSets(assets);
  const isOne = assets.length === 1;
  const isMixed = assets.some((asset) => !asset.isPartitioned);
  const [chosenWhich, setWhich] = useState<Which | null>(initial ? "part" : isMixed ? "all" : null);
  const [inOne, setInOne] = useState(false);
  const [part, setPart] = useState(initial);
  const [title, setTitle] = useState("");
  const total = found?.total ?? 0;
  const dimensions = found?.dimensions ?? [];
  const counts = countStatuses(found?.ranges ?? [], total);
  const isWhole = total > 0 && counts.MISSING + counts.FAILED === 0;
  const which = chosenWhich ?? (isWhole ? "latest" : "missing");
  const wanted = {
    missing: counts.MISSING + counts.FAILED,
    all: total,
    latest: Math.min(1, total),
    part: part ? sizeOf(part) : 0,
  }[which];
  const several = (which === "all" || which === "part") && wanted > 1 && fitOneRun(assets, setIds);
  const asOne = inOne && several;
  const keys = which === "latest" && found ? [found.keyOf(total - 1)] : which === "part" && part ? keysOf(dimensions, part) : NONE;
  const launch = (runConfig?: string) => {
    if (!found) return;
    const { keyOf } = found;
    const options = { runConfig, title };
    if (asOne) {
      const [first, last] = which === "part" && part ? endsOf(dimensions, part) : [keyOf(0), keyOf(total - 1)];
      onLaunch({ kind: "range", first, last }, options);
    } else if (which === "missing" || which === "all") onLaunch({ kind: which }, options);
    else onLaunch({ kind: "keys", keys }, options);
  };
  const name = keyText(partitioned.assetKey.path);
  const isRun = asOne || (wanted <= 1 && isOne);
  const deed = isRun ? `Launch ${runsWord(asOne ? 1 : wanted)}` : isOne ? `Launch ${wanted.toLocaleString("en")} partitions` : "Launch the backfill";
  return (
    <LaunchFrame
      {...props}
      deed={found ? deed : "Launch"}
      isReady={(wanted > 0 || (which === "missing" && !isOne)) && (total === 0 || dimensions.length > 0)}
      onLaunch={launch}
    >
      {error ? <Failure error={error} title="The partitions could not be read." /> : null}
      {!found && !error ? <Skeleton rows={4} /> : null}
      {found ? (
        <>
          <p className={css.what}>
            Partitions of <b>{name}</b>: {found.description}
            {isOne ? null : ". Which partitions of the other assets are made follows from these."}
          </p>
          <PartitionPicker
            label={`Partitions of ${name}`}
            partitions={found}
            chosen={which === "part" ? part : undefined}
            onChoose={(chosen) => {
              setWhich("part");
              setPart(chosen);
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
                detail: `${counts.MISSING.toLocaleString("en")} missing, ${counts.FAILED.toLocaleString("en")} failed${isOne ? "" : ` of ${name}`}`,
              },
              { value: "all", label: "All", detail: `${total}` },
              { value: "latest", label: "Latest", detail: found.keyOf(total - 1) || "none" },
              {
                value: "part",
                label: dimensions.length > 1 ? "A part" : "A stretch",
                detail: part
                  ? `${sizeOf(part).toLocaleString("en")} ${sizeOf(part) === 1 ? "partition" : "partitions"}`
                  : dimensions.length > 1
                    ? "drag over the grid"
                    : "drag over the bar, or name both ends",
              },
            ]}
          />
          {isOne || asOne || keys.length === 0 ? null : <LeftOut assets={assets} keys={keys} />}
          {which === "part" && dimensions.length === 1 ? (
            <Ends keys={dimensions[0]!.keys} chosen={part?.[0]} onChoose={(stretch) => setPart(stretch && [stretch])} />
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
          {isRun ? null : (
            <TextInput label="Name of the backfill" value={title} onChange={setTitle} placeholder="As people shall find it; may be left out" />
          )}
        </>
      ) : null}
    </LaunchFrame>
  );
}

/** Of each of the assets that are partitioned, which partitions it has, as far as there are several to compare. */
function usePartitionSets(assets: readonly AssetRow[]): readonly (string | null)[] | undefined {
  const keys = assets.filter((asset) => asset.isPartitioned).map(({ assetKey }) => ({ path: [...assetKey.path] }));
  const { data, isPlaceholderData } = useData(ASSET_PARTITION_SETS, { keys }, { enabled: keys.length > 1 });
  return isPlaceholderData ? undefined : data?.assetNodes.map(({ partitionSetId }) => partitionSetId);
}

interface EndsProps {
  keys: readonly string[];
  chosen: readonly [first: number, last: number] | undefined;
  onChoose: (stretch: readonly [first: number, last: number] | undefined) => void;
}

/** Both ends of a stretch, by their keys. */
function Ends({ keys, chosen, onChoose }: EndsProps) {
  const [typed, setTyped] = useState<readonly [string, string]>(["", ""]);
  const [from, to] = chosen ? [keys[chosen[0]]!, keys[chosen[1]]!] : typed;
  const take = (first: string, last: string) => {
    setTyped([first, last]);
    const stretch = [keys.indexOf(first), keys.indexOf(last || first)] as const;
    onChoose(stretch[0] >= 0 && stretch[1] >= stretch[0] ? stretch : undefined);
  };
  return (
    <div className={css.ends}>
      <TextInput label="From" value={from} list="partition-keys" onChange={(key) => take(key, to)} />
      <TextInput label="To" value={to} list="partition-keys" onChange={(key) => take(from, key)} />
      <datalist id="partition-keys">
        {keys.slice(-400).map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      {from !== "" && chosen === undefined ? <p className={css.wrong}>No such stretch of partitions.</p> : null}
    </div>
  );
}
