/** Words and looks of ticks. Pure. */

/** What came of a tick. */
export function tickWord(status: string): string {
  return { STARTED: "evaluating", SKIPPED: "skipped", SUCCESS: "requested runs", FAILURE: "failed" }[status] ?? status;
}

/** The status word that the kit knows, for a tick's mark. */
export function tickStatus(status: string): string {
  return status === "STARTED" ? "IN_PROGRESS" : status;
}

export interface SkipGroup {
  readonly reason: string;
  readonly count: number;
  /** Seconds since the epoch of the latest. */
  readonly last: number;
}

/** Reasons for skipping with how often each was given, most frequent first. */
export function skipGroups(
  ticks: readonly { status: string; skipReason: string | null; timestamp: number }[],
): SkipGroup[] {
  const groups = new Map<string, SkipGroup>();
  for (const { status, skipReason, timestamp } of ticks) {
    if (status !== "SKIPPED" || !skipReason) continue;
    const known = groups.get(skipReason);
    groups.set(skipReason, {
      reason: skipReason,
      count: (known?.count ?? 0) + 1,
      last: Math.max(known?.last ?? 0, timestamp),
    });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

/** "every 30 s", "every 5 min". */
export function intervalText(seconds: number): string {
  if (seconds < 60 || seconds % 60 !== 0) return `every ${seconds} s`;
  const minutes = seconds / 60;
  return minutes % 60 === 0 ? `every ${minutes / 60} h` : `every ${minutes} min`;
}
