/** What can be done with the selected runs. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { BulkBar } from "../../kit/BulkBar";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { toast, toastError } from "../../kit/toast";
import { deleteRun, hasEnded, reexecuteRun, RUN_OPERATIONS, type RunRow, terminateRuns } from "../../services/runs";

type Deed = "reexecute" | "terminate" | "delete";

interface BulkProps {
  runs: readonly RunRow[];
  onDone: () => void;
}

const WORDS: Record<Deed, { verb: string; text: (count: string) => string; done: (count: string) => string }> = {
  reexecute: {
    verb: "Re-execute",
    text: (count) => `${count} will be launched again, with all their steps.`,
    done: (count) => `${count} launched again`,
  },
  terminate: {
    verb: "Terminate",
    text: (count) => `${count} will be asked to stop. Steps that are at work end without a result.`,
    done: (count) => `${count} asked to stop`,
  },
  delete: {
    verb: "Delete",
    text: (count) => `${count} will be removed with all their events. What they made stays. This cannot be undone.`,
    done: (count) => `${count} deleted`,
  },
};

export function Bulk({ runs, onDone }: BulkProps) {
  const client = useQueryClient();
  const [deed, setDeed] = useState<Deed | null>(null);
  const ended = runs.filter((run) => hasEnded(run.status));
  const stoppable = runs.filter((run) => run.canTerminate);
  const subjects = deed === "terminate" ? stoppable : ended;
  const count = (many: readonly RunRow[]) => (many.length === 1 ? "1 run" : `${many.length} runs`);

  const act = useMutation({
    mutationFn: async (what: Deed) => {
      if (what === "terminate") return terminateRuns(stoppable.map((run) => run.runId));
      for (const run of ended) {
        if (what === "delete") await deleteRun(run.runId);
        else await reexecuteRun({ parentRunId: run.runId, strategy: "ALL_STEPS" });
      }
    },
    onSuccess: (_, what) => {
      toast({ text: WORDS[what].done(count(subjects)) });
      onDone();
    },
    onError: toastError,
    onSettled: () => {
      setDeed(null);
      for (const name of RUN_OPERATIONS) void client.invalidateQueries({ queryKey: [name] });
    },
  });

  return (
    <BulkBar label="Selected runs" count={count(runs)} onClear={onDone}>
      <Button icon="reload" isDisabled={ended.length === 0} onPress={() => setDeed("reexecute")}>
        Re-execute
      </Button>
      <Button icon="stop" isDisabled={stoppable.length === 0} onPress={() => setDeed("terminate")}>
        Terminate
      </Button>
      <Button variant="danger" isDisabled={ended.length === 0} onPress={() => setDeed("delete")}>
        Delete
      </Button>
      {deed === null ? null : (
        <Dialog
          title={`${WORDS[deed].verb} ${count(subjects)}?`}
          isOpen
          onClose={() => setDeed(null)}
          actions={
            <>
              <Button onPress={() => setDeed(null)}>Back</Button>
              <Button
                variant={deed === "reexecute" ? "primary" : "danger"}
                isPending={act.isPending}
                onPress={() => act.mutate(deed)}
              >
                {WORDS[deed].verb}
              </Button>
            </>
          }
        >
          {WORDS[deed].text(count(subjects))}
          {subjects.length < runs.length ? ` The other ${runs.length - subjects.length} selected are not in a state for it.` : ""}
        </Dialog>
      )}
    </BulkBar>
  );
}
