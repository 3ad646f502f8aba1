/** What can be done with a backfill: pause it or let it go on, cancel it, ask for it again, change its priority. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { deedsOf } from "../../backfills/backfill.model";
import { consequence } from "../../backfills/bulk.model";
import { Button, IconButton } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Menu } from "../../kit/Menu";
import { TextInput } from "../../kit/TextInput";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import {
  BACKFILL_OPERATIONS,
  type BackfillCard,
  cancelBackfill,
  changePriority,
  pauseBackfill,
  reexecuteBackfill,
  resumeBackfill,
} from "../../services/backfills";
import { useGo } from "../../services/navigation";
import css from "./backfill.module.css";
import { readPriority } from "./priority.model";

type Asked = "cancel" | "retryFailed" | "again" | "priority";

export function Actions({ backfill }: { backfill: BackfillCard }) {
  const client = useQueryClient();
  const go = useGo();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [typed, setTyped] = useState("");
  const { id, partitionStatusCounts: counts } = backfill;
  const can = deedsOf(backfill);
  const lacking = counts.total - counts.materialized;

  const act = useMutation({
    mutationFn: (deed: () => Promise<void>) => deed(),
    onError: toastError,
    onSettled: () => {
      setAsked(null);
      for (const name of BACKFILL_OPERATIONS) void client.invalidateQueries({ queryKey: [name] });
    },
  });
  const pause = async () => {
    await pauseBackfill(id);
    toast({ text: "Until it is resumed it makes no more runs, and those in the queue wait. Those at work go on." });
  };
  const resume = async () => {
    await resumeBackfill(id);
    toast({ text: "It goes on." });
  };
  const cancel = async () => {
    await cancelBackfill(id);
    toast({ text: "It makes no more runs, and those that have not ended are canceled." });
  };
  const again = (onlyFailed: boolean) => async () => {
    const made = await reexecuteBackfill(id, onlyFailed);
    toast({ text: "A new backfill was asked for.", link: { to: links.backfill(id), label: "The one before" } });
    go(links.backfill(made));
  };
  const priority = readPriority(typed);
  const setPriority = async () => {
    if (typeof priority !== "number") return;
    await changePriority(id, priority);
    toast({ text: `Its runs have the priority ${priority}.` });
  };

  const questions: Record<Asked, { title: string; text: string; verb: string; danger?: boolean; deed: () => Promise<void> }> = {
    cancel: {
      title: "Cancel this backfill?",
      text: consequence("cancel", [backfill]),
      verb: "Cancel the backfill",
      danger: true,
      deed: cancel,
    },
    retryFailed: {
      title: "Retry what was not made?",
      text: `A new backfill asks for the ${lacking.toLocaleString("en")} of ${counts.total.toLocaleString("en")} that this one did not make.`,
      verb: "Retry",
      deed: again(true),
    },
    again: {
      title: "Ask for all of it again?",
      text: `A new backfill makes all ${counts.total.toLocaleString("en")} anew, those that are there as well.`,
      verb: "Start again",
      deed: again(false),
    },
    priority: {
      title: "Priority of its runs",
      text: "",
      verb: "Save",
      deed: setPriority,
    },
  };
  const question = asked === null ? null : questions[asked];
  const mayCancel = backfill.hasCancelPermission;
  const mayResume = backfill.hasResumePermission;
  const entries = [
    ...(can.priority
      ? [
          {
            id: "priority",
            label: "Change the priority",
            detail: `Now ${backfill.priority}; higher goes first.`,
            isDisabled: !mayResume,
            onAction: () => {
              setTyped(String(backfill.priority));
              setAsked("priority");
            },
          },
        ]
      : []),
    ...(can.again ? [{ id: "again", label: "Start all of it again", isDisabled: !mayResume, onAction: () => setAsked("again") }] : []),
  ];
  return (
    <>
      {can.pause ? (
        <Button icon="pause" isDisabled={!mayCancel} isPending={act.isPending} onPress={() => act.mutate(pause)}>
          Pause
        </Button>
      ) : null}
      {can.resume ? (
        <Button icon="play" variant="primary" isDisabled={!mayResume} isPending={act.isPending} onPress={() => act.mutate(resume)}>
          Resume
        </Button>
      ) : null}
      {can.retryFailed ? (
        <Button icon="reload" variant="primary" isDisabled={!mayResume} onPress={() => setAsked("retryFailed")}>
          Retry failed
        </Button>
      ) : null}
      {can.cancel ? (
        <Button icon="stop" variant="danger" isDisabled={!mayCancel} onPress={() => setAsked("cancel")}>
          Cancel
        </Button>
      ) : null}
      {entries.length > 0 ? (
        <Menu label="More" trigger={<IconButton icon="more" label="More deeds" variant="plain" />} entries={entries} />
      ) : null}
      {question === null ? null : (
        <Dialog
          title={question.title}
          isOpen
          onClose={() => setAsked(null)}
          actions={
            <>
              <Button onPress={() => setAsked(null)}>Back</Button>
              <Button
                variant={question.danger ? "danger" : "primary"}
                isPending={act.isPending}
                isDisabled={asked === "priority" && typeof priority !== "number"}
                onPress={() => act.mutate(question.deed)}
              >
                {question.verb}
              </Button>
            </>
          }
        >
          {asked === "priority" ? (
            <>
              <TextInput label="Priority" value={typed} onChange={setTyped} inputMode="numeric" autoFocus />
              <p className={css.hint}>
                {typeof priority === "string" ? priority : "Runs of a higher priority leave the queue first; without one it is 0."}
              </p>
            </>
          ) : (
            question.text
          )}
        </Dialog>
      )}
    </>
  );
}
