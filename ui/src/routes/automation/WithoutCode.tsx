/** Schedules and sensors whose code is absent: what was set of them is kept, until somebody removes them. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { TextInput } from "../../kit/TextInput";
import { Time, useTimeStyle } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { overrideWords } from "../../automation/override.model";
import { AUTOMATION_OPERATIONS, AUTOMATION_TOPICS, REMOVE_INSTIGATION, RESTORE_INSTIGATION, WITHOUT_CODE, type WithoutCode as Row } from "../../services/automation";
import { useAction, useData } from "../../services/data";
import { shortTime, type TimeStyle } from "../../services/time.model";
import css from "./automation.module.css";

export function WithoutCode() {
  const answer = useData(WITHOUT_CODE, {}, { live: AUTOMATION_TOPICS });
  const [chosen, setChosen] = useState<Row | null>(null);
  const style = useTimeStyle();
  const found = answer.data?.instigationsWithoutCode;
  if (answer.error) return <Failure error={answer.error} title="They could not be read." onRetry={() => void answer.refetch()} />;
  if (found === undefined) return <Skeleton rows={6} />;
  if (found.length === 0) {
    return (
      <Empty title="All have code" icon="check">
        A schedule or sensor that the code no longer defines would be listed here, with what people have set of it.
      </Empty>
    );
  }
  return (
    <>
      <p className={css.hint}>
        The code does not define these, or does not load. What was set of them counts again as soon as it does. A new name is a new thing: nothing
        is taken over.
      </p>
      <Table label="Without code" columns={columns(style, setChosen)} rows={found} rowKey={({ id }) => id} stale={answer.isPlaceholderData} />
      {chosen === null ? null : <RetireDialog row={chosen} onClose={() => setChosen(null)} />}
    </>
  );
}

function columns(style: TimeStyle, onChoose: (row: Row) => void): Column<Row>[] {
  const now = Date.now() / 1000;
  return [
    { id: "name", label: "Name", least: 160, render: ({ name }) => name, sortBy: ({ name }) => name },
    { id: "kind", label: "Kind", width: "110px", render: ({ instigationType }) => (instigationType === "SCHEDULE" ? "Schedule" : "Sensor") },
    { id: "location", label: "Location", width: "18%", render: ({ repositoryLocationName }) => repositoryLocationName },
    {
      id: "status",
      label: "Set to",
      width: "150px",
      render: ({ status, removedTimestamp }) => (removedTimestamp === null ? <StatusTag bare status={status} /> : <StatusTag bare status="CANCELED" label="Removed" />),
    },
    {
      id: "override",
      label: "Override",
      width: "20%",
      render: ({ override }) => (override === null ? "" : overrideWords(override, (seconds) => shortTime(seconds, now, style)).join(", ")),
    },
    { id: "last", label: "Last tick", width: "130px", render: ({ lastTickTime }) => <Time at={lastTickTime} /> },
    {
      id: "deed",
      label: "Remove or restore",
      hideLabel: true,
      width: "110px",
      align: "right",
      render: (row) => (
        <Button variant="quiet" onPress={() => onChoose(row)}>
          {row.removedTimestamp === null ? "Remove" : "Restore"}
        </Button>
      ),
    },
  ];
}

function RetireDialog({ row, onClose }: { row: Row; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const isRemoved = row.removedTimestamp !== null;
  const remove = useAction(REMOVE_INSTIGATION, AUTOMATION_OPERATIONS);
  const restore = useAction(RESTORE_INSTIGATION, AUTOMATION_OPERATIONS);
  const told = ({ answer }: { answer: { __typename: string } | { message: string } }) => {
    if ("message" in answer) toastError(new Error(answer.message));
    else toast({ text: isRemoved ? `${row.name} counts again when its code is there.` : `${row.name} is removed; it can be restored.` });
    onClose();
  };
  const act = () => (isRemoved ? restore : remove).mutate({ id: row.id, reason: reason || null }, { onSuccess: told, onError: toastError });
  return (
    <Dialog
      title={isRemoved ? `Restore ${row.name}?` : `Remove ${row.name}?`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Back</Button>
          <Button variant={isRemoved ? "primary" : "danger"} isPending={remove.isPending || restore.isPending} onPress={act}>
            {isRemoved ? "Restore" : "Remove"}
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        <p>
          {isRemoved
            ? "Its switch, cursor and override count again when the code defines it."
            : "It stays off even when the code defines it again, until it is restored or turned on. All that is known of it is kept."}
        </p>
        <TextInput label="Reason" value={reason} onChange={setReason} autoFocus />
      </div>
    </Dialog>
  );
}
