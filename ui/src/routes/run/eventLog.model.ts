/** The filter of a run's log, and how an event reads in one row. Pure. */
import type { LogLevel } from "../../services/schema.gen";
import type { SearchState } from "../../services/navigation";

export interface LogFilter {
  steps: readonly string[];
  /** The least level that is shown. */
  level: LogLevel | null;
  text: string;
}

const LEVELS: readonly LogLevel[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

export function readLogFilter(search: SearchState): LogFilter {
  const level = LEVELS.find((each) => each === search.level) ?? null;
  return { steps: (search.steps ?? "").split(",").filter((step) => step !== ""), level, text: search.q ?? "" };
}

/** Every level from the given one on; null: all. */
export function levelsFrom(level: LogLevel | null): LogLevel[] | null {
  return level === null ? null : LEVELS.slice(LEVELS.indexOf(level));
}

/** Types whose own name is too long for its column. */
const SHORT_WORDS: Readonly<Record<string, string>> = {
  ASSET_MATERIALIZATION: "materialization",
  ASSET_MATERIALIZATION_PLANNED: "plan",
  ASSET_OBSERVATION: "observation",
  ASSET_CHECK_EVALUATION: "check",
  ASSET_CHECK_EVALUATION_PLANNED: "plan of check",
  RESOURCE_INIT_STARTED: "resources set up",
  RESOURCE_INIT_SUCCESS: "resources ready",
  RESOURCE_INIT_FAILURE: "resource failure",
};

/** "STEP_UP_FOR_RETRY" as "step up for retry"; "log" for what user code said. */
export function eventWords(eventType: string | null): string {
  if (eventType === null) return "log";
  return SHORT_WORDS[eventType] ?? eventType.toLowerCase().replaceAll("_", " ");
}

export type EventTone = "bad" | "warn" | "good" | "asset" | "log" | "plain";

const GOOD = new Set(["STEP_SUCCESS", "RUN_SUCCESS"]);
const ASSET = new Set(["ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION"]);
const WARN = new Set(["STEP_UP_FOR_RETRY", "STEP_RESTARTED", "RUN_CANCELING", "RUN_CANCELED", "STEP_SKIPPED"]);

/** How the row is coloured. */
export function eventTone(event: { eventType: string | null; level: LogLevel }): EventTone {
  if (event.level === "ERROR" || event.level === "CRITICAL" || event.eventType?.endsWith("_FAILURE")) return "bad";
  if (event.level === "WARNING" || (event.eventType !== null && WARN.has(event.eventType))) return "warn";
  if (event.eventType === null) return "log";
  if (GOOD.has(event.eventType)) return "good";
  return ASSET.has(event.eventType) ? "asset" : "plain";
}

const LINE_PX = 18;
const PADDING_PX = 6;
const MOST_LINES = 10;

/** The lines of a message that its row shows; the rest is in the event's details. */
export function shownLines(message: string): string[] {
  const lines = message.trimEnd().split("\n");
  return lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES - 1), `... ${lines.length - MOST_LINES + 1} more lines`];
}

export function rowHeight(message: string): number {
  return shownLines(message).length * LINE_PX + PADDING_PX;
}
