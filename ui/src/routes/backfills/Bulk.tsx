/** What can be done with the selected backfills. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { BULK_VERBS, type BulkDeed, consequence, countText, subjectsOf } from "../../backfills/bulk.model";
import { BulkBar } from "../../kit/BulkBar";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import type { IconName } from "../../kit/Icon";
import { toast, toastError } from "../../kit/toast";
import {
  BACKFILL_OPERATIONS,
  type BackfillCard,
  cancelBackfill,
  pauseBackfill,
  reexecuteBackfill,
  resumeBackfill,
} from "../../services/backfills";

const DEEDS: Record<BulkDeed, { icon: IconName; done: string; act: (id: string) => Promise<unknown> }> = {
  pause: { icon: "pause", done: "paused", act: pauseBackfill },
  resume: { icon: "play", done: "resumed", act: resumeBackfill },
  retryFailed: { icon: "reload", done: "asked for again", act: (id) => reexecuteBackfill(id, true) },
  cancel: { icon: "stop", done: "asked to stop", act: cancelBackfill },
};
const NAMES = ["pause", "resume", "retryFailed", "cancel"] as const;

interface BulkProps {
  backfills: readonly BackfillCard[];
  onDone: () => void;
}

export function Bulk({ backfills, onDone }: BulkProps) {
  const client = useQueryClient();
  const [deed, setDeed] = useState<BulkDeed | null>(null);
  const subjects = deed === null ? [] : subjectsOf(backfills, deed);
  const act = useMutation({
    mutationFn: async (chosen: BulkDeed) => {
      for (const { id } of subjects) await DEEDS[chosen].act(id);
    },
    onSuccess: (_, chosen) => {
      toast({ text: `${countText(subjects.length)} ${DEEDS[chosen].done}` });
      onDone();
    },
    onError: toastError,
    onSettled: () => {
      setDeed(null);
      for (const name of BACKFILL_OPERATIONS) void client.invalidateQueries({ queryKey: [name] });
    },
  });
  const others = backfills.length - subjects.length;
  const whole = deed === null ? "" : `${BULK_VERBS[deed]} ${deed === "retryFailed" ? "of " : ""}${countText(subjects.length)}`;
  return (
    <BulkBar label="Selected backfills" count={countText(backfills.length)} onClear={onDone}>
      {NAMES.map((name) => (
        <Button
          key={name}
          icon={DEEDS[name].icon}
          variant={name === "cancel" ? "danger" : "plain"}
          isDisabled={subjectsOf(backfills, name).length === 0}
          onPress={() => setDeed(name)}
        >
          {BULK_VERBS[name]}
        </Button>
      ))}
      {deed === null ? null : (
        <Dialog
          title={`${whole}?`}
          isOpen
          onClose={() => setDeed(null)}
          actions={
            <>
              <Button onPress={() => setDeed(null)}>Back</Button>
              <Button variant={deed === "cancel" ? "danger" : "primary"} isPending={act.isPending} onPress={() => act.mutate(deed)}>
                {whole}
              </Button>
            </>
          }
        >
          {consequence(deed, subjects)}
          {others > 0 ? ` The other ${others} selected are not in a state for it.` : ""}
        </Dialog>
      )}
    </BulkBar>
  );
}
