/** Sets what holds for a schedule or sensor in place of its code, and why. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { TextArea, TextInput } from "../kit/TextInput";
import { useTimeStyle } from "../kit/Time";
import { toast, toastError } from "../kit/toast";
import { AUTOMATION_OPERATIONS, type Override, SET_OVERRIDE } from "../services/automation";
import { useAction } from "../services/data";
import css from "./automation.module.css";
import { readOverride, type Typed, typedOf } from "./override.model";
import type { AutomationKind } from "../services/automation";

interface OverrideDialogProps {
  kind: AutomationKind;
  id: string;
  name: string;
  override: Override | null;
  onClose: () => void;
}

export function OverrideDialog({ kind, id, name, override, onClose }: OverrideDialogProps) {
  const { zone } = useTimeStyle();
  const [typed, setTyped] = useState(() => typedOf(override, zone));
  const action = useAction(SET_OVERRIDE, AUTOMATION_OPERATIONS);
  const asked = readOverride(typed, zone, Date.now() / 1000);
  const field = (key: keyof Typed) => ({ value: typed[key], onChange: (value: string) => setTyped({ ...typed, [key]: value }) });
  const save = () => {
    if (typeof asked === "string") return;
    action.mutate(
      { id, override: asked },
      {
        onSuccess: ({ answer }) => {
          if ("errors" in answer) toastError(new Error(answer.errors.map(({ message }) => message).join("; ")));
          else if ("message" in answer) toastError(new Error(answer.message));
          else {
            toast({ text: `The override of ${name} holds from now on.`, tone: "good" });
            onClose();
          }
        },
        onError: toastError,
      },
    );
  };
  return (
    <Dialog
      title={`Override ${name}`}
      size="medium"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" isPending={action.isPending} isDisabled={typeof asked === "string"} onPress={save}>
            Override
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        <p className={css.quiet}>It holds until it is withdrawn, in place of what the code says; what is left empty stays as the code says.</p>
        <TextInput label={`Paused until (${zone})`} type="datetime-local" {...field("pausedUntil")} />
        {kind === "schedule" ? (
          <>
            <TextArea label="Cron texts, one a line" rows={2} placeholder="0 6 * * 1-5" {...field("cron")} />
            <TextInput label="Time zone of the cron texts" placeholder="Europe/Berlin" {...field("zone")} />
          </>
        ) : (
          <TextInput label="Interval in seconds" inputMode="decimal" placeholder="300" {...field("interval")} />
        )}
        <TextArea label="Run config in place of that of each run (YAML)" rows={4} {...field("config")} />
        <TextInput label="Tags added to each run" placeholder="team=data, priority=high" {...field("tags")} />
        <TextInput label="Reason" placeholder="So that others know" {...field("reason")} />
        {typeof asked === "string" ? <p className={css.quiet}>{asked}</p> : null}
      </div>
    </Dialog>
  );
}
