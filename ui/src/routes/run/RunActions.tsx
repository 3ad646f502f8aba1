/** What can be done with one run. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Button, IconButton } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Menu } from "../../kit/Menu";
import { toast, toastError } from "../../kit/toast";
import { keepDraft } from "../../launchpad/drafts";
import { links } from "../../links";
import { useGo } from "../../services/navigation";
import { ASSET_JOB } from "../../services/run.model";
import { deleteRun, hasEnded, reexecuteRun, RUN_OPERATIONS, type RunDetail, terminateRuns } from "../../services/runs";
import type { ReexecutionStrategy } from "../../services/schema.gen";

export function RunActions({ run }: { run: RunDetail }) {
  const go = useGo();
  const client = useQueryClient();
  const [asking, setAsking] = useState<"terminate" | "delete" | null>(null);
  const onSettled = () => {
    setAsking(null);
    for (const name of RUN_OPERATIONS) void client.invalidateQueries({ queryKey: [name] });
  };
  const again = useMutation({
    mutationFn: (strategy: ReexecutionStrategy) => reexecuteRun({ parentRunId: run.runId, strategy }),
    onSuccess: (runId) => {
      toast({ text: "Launched again." });
      go(links.run(runId));
    },
    onError: toastError,
    onSettled,
  });
  const terminate = useMutation({
    mutationFn: (atOnce: boolean) => terminateRuns([run.runId], atOnce ? "MARK_AS_CANCELED_IMMEDIATELY" : "SAFE_TERMINATE"),
    onError: toastError,
    onSettled,
  });
  const remove = useMutation({
    mutationFn: () => deleteRun(run.runId),
    onSuccess: () => {
      toast({ text: "The run is deleted." });
      go(links.runs());
    },
    onError: toastError,
    onSettled,
  });
  const ended = hasEnded(run.status);
  const failed = run.status === "FAILURE" || run.status === "CANCELED";

  return (
    <>
      {ended ? (
        <>
          {failed ? (
            <Button variant="primary" icon="reload" isPending={again.isPending} onPress={() => again.mutate("FROM_FAILURE")}>
              {run.status === "FAILURE" ? "Re-execute from failure" : "Re-execute the rest"}
            </Button>
          ) : null}
          <Button icon="reload" isPending={again.isPending} onPress={() => again.mutate("ALL_STEPS")}>
            {failed ? "All steps" : "Re-execute"}
          </Button>
        </>
      ) : (
        <Button icon="stop" variant="danger" isDisabled={!run.canTerminate} onPress={() => setAsking("terminate")}>
          Terminate
        </Button>
      )}
      <Menu
        label="More"
        trigger={<IconButton icon="more" label="More" variant="plain" />}
        entries={[
          {
            id: "launchpad",
            label: "Open in the launchpad",
            icon: "play",
            detail: "With this run's config",
            isDisabled: run.jobName === ASSET_JOB,
            onAction: () => {
              keepDraft(run.repositoryLocationName, run.jobName, run.runConfigYaml);
              go(links.job(run.repositoryLocationName, run.jobName, { tab: "launch" }));
            },
          },
          { id: "copy", label: "Copy the run's id", icon: "copy", onAction: () => void navigator.clipboard.writeText(run.runId) },
          { id: "link", label: "Copy a link to this view", icon: "link", onAction: () => void navigator.clipboard.writeText(window.location.href) },
          { id: "delete", label: "Delete the run", icon: "close", danger: true, isDisabled: !ended, onAction: () => setAsking("delete") },
        ]}
      />
      <Dialog
        title="Terminate this run?"
        isOpen={asking === "terminate"}
        onClose={() => setAsking(null)}
        actions={
          <>
            <Button onPress={() => setAsking(null)}>Back</Button>
            <Button onPress={() => terminate.mutate(true)}>Only mark it as canceled</Button>
            <Button variant="danger" isPending={terminate.isPending} onPress={() => terminate.mutate(false)}>
              Terminate
            </Button>
          </>
        }
      >
        Its processes are asked to stop, and are ended after a grace period. If its processes are known to be gone, it can be
        marked as canceled at once.
      </Dialog>
      <Dialog
        title="Delete this run?"
        isOpen={asking === "delete"}
        onClose={() => setAsking(null)}
        actions={
          <>
            <Button onPress={() => setAsking(null)}>Back</Button>
            <Button variant="danger" isPending={remove.isPending} onPress={() => remove.mutate()}>
              Delete
            </Button>
          </>
        }
      >
        The run and all its events are removed. What it made stays, with its history. This cannot be undone.
      </Dialog>
    </>
  );
}
