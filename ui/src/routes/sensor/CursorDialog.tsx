/** Sets a sensor's cursor: what its next evaluation goes on from. */
import { useState } from "react";

import css from "../../automation/automation.module.css";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { TextInput } from "../../kit/TextInput";
import { toast, toastError } from "../../kit/toast";
import { AUTOMATION_OPERATIONS, SET_CURSOR } from "../../services/automation";
import { useAction } from "../../services/data";

interface CursorDialogProps {
  selector: { repositoryLocationName: string; sensorName: string };
  cursor: string;
  onClose: () => void;
}

export function CursorDialog({ selector, cursor, onClose }: CursorDialogProps) {
  const [text, setText] = useState(cursor);
  const action = useAction(SET_CURSOR, AUTOMATION_OPERATIONS);
  const save = () => {
    action.mutate(
      { selector, cursor: text === "" ? null : text },
      {
        onSuccess: ({ answer }) => {
          if ("message" in answer) toastError(new Error(answer.message));
          else {
            toast({ text: text === "" ? "The cursor is cleared." : "The cursor is set.", tone: "good" });
            onClose();
          }
        },
        onError: toastError,
      },
    );
  };
  return (
    <Dialog
      title={`Cursor of ${selector.sensorName}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" isDisabled={action.isPending || text === cursor} onPress={save}>
            Set cursor
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        <TextInput label="Cursor" value={text} onChange={setText} autoFocus />
        <p className={css.quiet}>
          The next evaluation begins from it. An older cursor makes the sensor see again what came since; empty starts
          from nothing.
        </p>
      </div>
    </Dialog>
  );
}
