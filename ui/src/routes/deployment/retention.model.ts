/** What is said of a kind of things that are kept. Pure. */
import type { KeptKind } from "../../services/retention";

const NAMES: Record<string, string> = {
  events: "Event log",
  runs: "Runs",
  ticks: "Ticks",
  evaluations: "Evaluations",
  acts: "What people did",
  compute_logs: "Output of steps",
};

export function kindName(kind: string): string {
  return NAMES[kind] ?? kind;
}

/** "12,345", and "about 1.2 million" where there is so much of it that it was estimated. */
export function amountText(rows: number): string {
  if (rows <= COUNTED) return rows.toLocaleString("en");
  if (rows < 1e6) return `about ${(Math.round(rows / 1000) * 1000).toLocaleString("en")}`;
  return `about ${(rows / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} million`;
}

/** What the last look did about it: "" where there was nothing to do. */
export function workText(kind: KeptKind, isDone: boolean): string {
  if (kind.removed > 0) return `${amountText(kind.removed)} removed`;
  if (kind.tooOld > 0 && !isDone) return `${amountText(kind.tooOld)} to be removed`;
  return "";
}

const COUNTED = 10_000;
