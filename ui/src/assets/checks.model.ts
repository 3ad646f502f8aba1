/** How the checks of an asset stand together, in lists and graphs. Pure. */

interface Counts {
  /** Those that did not pass when they were last evaluated, also the ones that only warn. */
  readonly failedChecks: number;
  readonly warnedChecks: number;
}

/** "2 failed checks", or only "1 warning" where none is worse; null when nothing is wrong. */
export function checkTrouble({ failedChecks, warnedChecks }: Counts): { status: "FAILED" | "WARNED"; text: string } | null {
  const failed = failedChecks - warnedChecks;
  if (failed > 0) return { status: "FAILED", text: `${failed} failed ${failed === 1 ? "check" : "checks"}` };
  return warnedChecks > 0 ? { status: "WARNED", text: warnedChecks === 1 ? "1 warning" : `${warnedChecks} warnings` } : null;
}
