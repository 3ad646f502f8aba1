/** What is said of a backfill: where it stands, how fast it goes, what it is about, and what can be done with it. Pure. */
import type { BackfillCard, BackfillCounts } from "../services/backfills";
import { shortId } from "../services/run.model";
import type { BulkActionStatus } from "../services/schema.gen";
import { durationText } from "../services/time.model";

export const AT_WORK: readonly BulkActionStatus[] = ["REQUESTED", "CANCELING", "FAILING"];

/** The status as pages show it. */
export function standing({ status, paused }: Pick<BackfillCard, "status" | "paused">): string {
  return paused && status === "REQUESTED" ? "BACKFILL_PAUSED" : `BACKFILL_${status}`;
}

export function hasEnded({ status }: Pick<BackfillCard, "status">): boolean {
  return !AT_WORK.includes(status);
}

/** Its title; without one the end of its id. */
export function nameOf({ title, id }: Pick<BackfillCard, "title" | "id">): string {
  return title ?? `Backfill ${shortId(id)}`;
}

/** Its job, or its assets: at most one by name. */
export function targetText({ jobName, isAssetBackfill, firstAssetKey, numAssets }: Pick<BackfillCard, "jobName" | "isAssetBackfill" | "firstAssetKey" | "numAssets">): string {
  if (!isAssetBackfill) return jobName ?? "";
  if (firstAssetKey === null) return `${numAssets} assets`;
  const name = firstAssetKey.path.join("/");
  return numAssets > 1 ? `${name} and ${numAssets - 1} more` : name;
}

export type OutcomeName = "materialized" | "failed" | "skipped" | "canceled" | "inProgress" | "waiting";

/** Outcomes in the order in which bars and legends show them, with the word and the letter of each. */
export const OUTCOMES: readonly { name: OutcomeName; word: string; letter: string; status: string }[] = [
  { name: "materialized", word: "materialized", letter: "M", status: "MATERIALIZED" },
  { name: "failed", word: "failed", letter: "F", status: "FAILED" },
  { name: "skipped", word: "skipped", letter: "S", status: "SKIPPED" },
  { name: "canceled", word: "canceled", letter: "C", status: "CANCELED" },
  { name: "inProgress", word: "in progress", letter: "R", status: "IN_PROGRESS" },
  { name: "waiting", word: "waiting", letter: "W", status: "WAITING" },
];

/** "120 of 365, 3 failed, 2 skipped". */
export function progressText(counts: BackfillCounts): string {
  const rest = (["failed", "skipped", "canceled"] as const).filter((name) => counts[name] > 0).map((name) => `${counts[name].toLocaleString("en")} ${name}`);
  return [`${counts.materialized.toLocaleString("en")} of ${counts.total.toLocaleString("en")}`, ...rest].join(", ");
}

/** "2:05 min left, 340/h"; in a column that says it, "2:05 min, 340/h". Nothing while it is not known. */
export function paceText({ pace }: Pick<BackfillCard, "pace">, left = " left"): string {
  if (pace === null) return "";
  const { partitionsPerHour, secondsLeft } = pace;
  const rate = partitionsPerHour >= 10 ? Math.round(partitionsPerHour).toLocaleString("en") : partitionsPerHour.toFixed(1);
  return `${durationText(Math.max(1, secondsLeft))}${left}, ${rate}/h`;
}

/** What can be done with it now. */
export function deedsOf(backfill: Pick<BackfillCard, "status" | "paused" | "partitionStatusCounts">): {
  pause: boolean;
  resume: boolean;
  cancel: boolean;
  retryFailed: boolean;
  again: boolean;
  priority: boolean;
} {
  const { status, paused, partitionStatusCounts: counts } = backfill;
  const ended = hasEnded(backfill);
  return {
    pause: status === "REQUESTED" && !paused,
    resume: (status === "REQUESTED" && paused) || status === "FAILED",
    cancel: status === "REQUESTED" || status === "FAILING",
    retryFailed: ended && counts.materialized < counts.total,
    again: ended,
    priority: !ended,
  };
}
