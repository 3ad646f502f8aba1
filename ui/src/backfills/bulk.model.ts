/** What can be done with several backfills at once, and what is said of it before. Pure. */
import type { BackfillCard } from "../services/backfills";
import { deedsOf } from "./backfill.model";

export type BulkDeed = "pause" | "resume" | "retryFailed" | "cancel";

export const BULK_VERBS: Record<BulkDeed, string> = { pause: "Pause", resume: "Resume", retryFailed: "Retry failed", cancel: "Cancel" };

/** Those of them with which it can be done, and the reader may. */
export function subjectsOf(backfills: readonly BackfillCard[], deed: BulkDeed): BackfillCard[] {
  return backfills.filter((backfill) => {
    const stops = deed === "pause" || deed === "cancel";
    return deedsOf(backfill)[deed] && (stops ? backfill.hasCancelPermission : backfill.hasResumePermission);
  });
}

/** "1 backfill", "12 backfills". */
export function countText(count: number): string {
  return counted(count, "backfill");
}

/** What will happen to them, with how many partitions that is. */
export function consequence(deed: BulkDeed, subjects: readonly BackfillCard[]): string {
  const sum = (of: (counts: BackfillCard["partitionStatusCounts"]) => number) =>
    counted(subjects.reduce((all, { partitionStatusCounts }) => all + of(partitionStatusCounts), 0), "partition");
  switch (deed) {
    case "pause":
      return `Nothing more of them is started until they are resumed: ${sum(({ waiting }) => waiting)} not begun. Runs at work go on.`;
    case "resume":
      return `They go on at once: ${sum(({ waiting }) => waiting)} not begun.`;
    case "retryFailed":
      return `For each a new backfill asks for what it did not make: ${sum(({ total, materialized }) => total - materialized)} in all.`;
    case "cancel":
      return `No more runs are made, and what is in progress is stopped: ${sum(({ inProgress }) => inProgress)}. What is made stays.`;
  }
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
