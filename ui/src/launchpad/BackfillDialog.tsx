/** Launches a partitioned job for many partitions, with the config and tags of the launchpad. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Failure } from "../kit/ErrorPanel";
import { RadioList } from "../kit/RadioList";
import { Skeleton } from "../kit/Skeleton";
import { TextInput } from "../kit/TextInput";
import { toastError } from "../kit/toast";
import { links } from "../links";
import { useData } from "../services/data";
import { JOB_PARTITION_KEYS } from "../services/jobs";
import { launchBackfill } from "../services/launch";
import { useGo } from "../services/navigation";
import type { ExecutionTag } from "../services/schema.gen";
import css from "./BackfillDialog.module.css";

interface BackfillDialogProps {
  location: string;
  job: string;
  runConfig: string;
  tags: readonly ExecutionTag[];
  onClose: () => void;
}

export function BackfillDialog({ location, job, runConfig, tags, onClose }: BackfillDialogProps) {
  const selector = { repositoryLocationName: location, pipelineName: job };
  const answer = useData(JOB_PARTITION_KEYS, { selector });
  const [which, setWhich] = useState<"all" | "part">("all");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [title, setTitle] = useState("");
  const [isBusy, setBusy] = useState(false);
  const go = useGo();
  const found = answer.data?.pipelineOrError;
  const listed = found?.__typename === "Pipeline" ? found.partitionKeysOrError : undefined;
  const keys = listed?.partitionKeys ?? [];
  const [first, last] = [keys.indexOf(from.trim()), keys.indexOf(to.trim() || from.trim())];
  const part = first >= 0 && last >= first ? keys.slice(first, last + 1) : [];
  const count = which === "part" ? part.length : keys.length;
  const hasMore = listed?.hasMore ?? false;

  const launch = async () => {
    setBusy(true);
    try {
      const made = await launchBackfill({
        selector,
        runConfigData: runConfig,
        ...(which === "all" ? { allPartitions: true } : { partitionNames: part }),
        ...(tags.length > 0 ? { tags: [...tags] } : {}),
        ...(title === "" ? {} : { title }),
      });
      if (made.backfillId !== undefined) go(links.backfill(made.backfillId));
    } catch (error) {
      toastError(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Launch ${job} for many partitions`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" icon="play" isDisabled={isBusy || count === 0} onPress={() => void launch()}>
            {`Launch ${count.toLocaleString("en")}${which === "all" && hasMore ? "+" : ""} ${count === 1 ? "partition" : "partitions"}`}
          </Button>
        </>
      }
    >
      {answer.error ? <Failure error={answer.error} title="The partitions could not be read." /> : null}
      {found === undefined && !answer.error ? <Skeleton rows={4} /> : null}
      {listed === undefined ? null : (
        <div className={css.body}>
          <RadioList
            label="Which partitions"
            value={which}
            onChange={(value) => setWhich(value as "all" | "part")}
            options={[
              { value: "all", label: "All", detail: `${keys.length.toLocaleString("en")}${hasMore ? " and more" : ""}` },
              { value: "part", label: "A stretch", detail: part.length > 0 ? `${part.length.toLocaleString("en")} partitions` : "name both ends" },
            ]}
          />
          {which === "part" ? (
            <div className={css.ends}>
              <TextInput label="From" value={from} list="backfill-keys" onChange={setFrom} />
              <TextInput label="To" value={to} list="backfill-keys" onChange={setTo} />
              <datalist id="backfill-keys">
                {keys.slice(-400).map((key) => (
                  <option key={key} value={key} />
                ))}
              </datalist>
            </div>
          ) : null}
          {which === "part" && from !== "" && part.length === 0 ? <p className={css.wrong}>No such stretch of partitions.</p> : null}
          <TextInput label="Name of the backfill" value={title} onChange={setTitle} placeholder="As people shall find it; may be left out" />
          <p className={css.hint}>The config and the tags of the launchpad hold for every run.</p>
        </div>
      )}
    </Dialog>
  );
}
