/** What can be done with the selected schedules and sensors. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { BulkBar } from "../../kit/BulkBar";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { TextInput } from "../../kit/TextInput";
import { toast, toastError } from "../../kit/toast";
import { AUTOMATION_OPERATIONS, switchInstigator } from "../../services/automation";
import css from "./automation.module.css";
import { many, type Row } from "./instigators.model";

interface BulkProps {
  rows: readonly Row[];
  onDone: () => void;
}

export function Bulk({ rows, onDone }: BulkProps) {
  const [turning, setTurning] = useState<boolean | null>(null);
  const off = rows.filter(({ state }) => state.status !== "RUNNING");
  const on = rows.filter(({ state }) => state.status === "RUNNING");
  return (
    <BulkBar label="Selected schedules and sensors" count={many(rows)} onClear={onDone}>
      <Button isDisabled={off.length === 0} onPress={() => setTurning(true)}>
        Turn on
      </Button>
      <Button isDisabled={on.length === 0} onPress={() => setTurning(false)}>
        Turn off
      </Button>
      {turning === null ? null : (
        <TurnDialog rows={turning ? off : on} on={turning} onClose={() => setTurning(null)} onDone={onDone} />
      )}
    </BulkBar>
  );
}

function TurnDialog({ rows, on, onClose, onDone }: { rows: readonly Row[]; on: boolean; onClose: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const word = on ? "on" : "off";
  const act = useMutation({
    mutationFn: async () => {
      for (const row of rows) await switchInstigator(on ? "start" : "stop", row, reason);
    },
    onSuccess: () => {
      toast({ text: `${many(rows)} turned ${word}.` });
      onDone();
    },
    onError: (error) => {
      toastError(error);
      onClose();
    },
    onSettled: () => {
      for (const operation of AUTOMATION_OPERATIONS) void client.invalidateQueries({ queryKey: [operation] });
    },
  });
  return (
    <Dialog
      title={`Turn ${many(rows)} ${word}?`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Back</Button>
          <Button variant={on ? "primary" : "danger"} isPending={act.isPending} onPress={() => act.mutate()}>
            Turn {word}
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        <p>{rows.map(({ name }) => name).join(", ")}</p>
        <TextInput label="Reason" value={reason} onChange={setReason} autoFocus />
      </div>
    </Dialog>
  );
}
