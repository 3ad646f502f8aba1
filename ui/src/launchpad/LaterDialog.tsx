/** Plans one run of what is in the launchpad at an instant. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { TextInput } from "../kit/TextInput";
import { useTimeStyle } from "../kit/Time";
import { toast, toastError } from "../kit/toast";
import { links } from "../links";
import { planOneOff } from "../services/oneOffs";
import type { ExecutionParams } from "../services/schema.gen";
import { instantOf, longTime, wallTime } from "../services/time.model";
import css from "./BackfillDialog.module.css";

interface LaterDialogProps {
  job: string;
  params: ExecutionParams;
  onClose: () => void;
}

export function LaterDialog({ job, params, onClose }: LaterDialogProps) {
  const style = useTimeStyle();
  const [at, setAt] = useState(() => wallTime(Math.ceil(Date.now() / 3_600_000) * 3600, style.zone));
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const [isBusy, setBusy] = useState(false);
  const timestamp = instantOf(at, style.zone);
  const last = until === "" ? null : instantOf(until, style.zone);
  const fault =
    timestamp === null || timestamp * 1000 <= Date.now()
      ? "Give a date and a time in the future."
      : until !== "" && (last === null || last < timestamp)
        ? "The last time must not be before the time of the run."
        : null;
  const plan = async () => {
    if (timestamp === null || fault !== null) return;
    setBusy(true);
    try {
      await planOneOff({ params, timestamp, until: last, reason: reason || null });
      toast({ text: `One run of ${job} is planned.`, tone: "good", link: { to: links.automation({ tab: "once" }), label: "All planned runs" } });
      onClose();
    } catch (error) {
      toastError(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Run ${job} once, later`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" icon="automation" isDisabled={isBusy || fault !== null} onPress={() => void plan()}>
            Plan the run
          </Button>
        </>
      }
    >
      <div className={css.body}>
        <TextInput label={`At (${style.zone})`} type="datetime-local" value={at} onChange={setAt} />
        <TextInput label="Not after; a day later if empty" type="datetime-local" value={until} onChange={setUntil} />
        <TextInput label="Reason" value={reason} onChange={setReason} placeholder="So that others know" />
        <p className={css.hint}>
          {fault ?? `It is made at ${longTime(timestamp ?? 0, style)}, with the config, tags and partition of the launchpad as they are now.`}
        </p>
      </div>
    </Dialog>
  );
}
