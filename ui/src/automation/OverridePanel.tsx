/** What holds for a schedule or sensor in place of its code, and the way back. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Section } from "../kit/Page";
import { TextInput } from "../kit/TextInput";
import { Time, useTimeStyle } from "../kit/Time";
import { toast, toastError } from "../kit/toast";
import { AUTOMATION_OPERATIONS, type Override, WITHDRAW_OVERRIDE } from "../services/automation";
import { useAction } from "../services/data";
import { longTime } from "../services/time.model";
import css from "./automation.module.css";
import { overrideWords } from "./override.model";

interface OverridePanelProps {
  id: string;
  name: string;
  override: Override;
  onChange: () => void;
}

export function OverridePanel({ id, name, override, onChange }: OverridePanelProps) {
  const style = useTimeStyle();
  const [isAsking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const action = useAction(WITHDRAW_OVERRIDE, AUTOMATION_OPERATIONS);
  const withdraw = () => {
    action.mutate(
      { id, reason: reason || null },
      {
        onSuccess: ({ answer }) => {
          if ("message" in answer) toastError(new Error(answer.message));
          else toast({ text: `${name} is again as the code says.`, tone: "good" });
          setAsking(false);
        },
        onError: toastError,
      },
    );
  };
  return (
    <Section
      title="Overridden"
      actions={
        <span className={css.deeds}>
          <Button onPress={onChange}>Change</Button>
          <Button onPress={() => setAsking(true)}>Withdraw</Button>
        </span>
      }
    >
      <div className={css.override}>
        <ul>
          {overrideWords(override, (seconds) => longTime(seconds, style)).map((words) => (
            <li key={words}>{words.charAt(0).toUpperCase() + words.slice(1)}</li>
          ))}
        </ul>
        {override.runConfigYaml ? <pre className={css.logs}>{override.runConfigYaml}</pre> : null}
        <p className={css.quiet}>
          Set by {override.actor ?? "somebody"} <Time at={override.timestamp} relative />
          {override.reason === null ? "." : `: ${override.reason}`}
        </p>
      </div>
      {isAsking ? (
        <Dialog
          title="Withdraw the override?"
          isOpen
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button onPress={() => setAsking(false)}>Back</Button>
              <Button variant="primary" isPending={action.isPending} onPress={withdraw}>
                Withdraw
              </Button>
            </>
          }
        >
          <div className={css.fields}>
            <p>{name} is then evaluated as the code says, from now on.</p>
            <TextInput label="Reason" value={reason} onChange={setReason} autoFocus />
          </div>
        </Dialog>
      ) : null}
    </Section>
  );
}
