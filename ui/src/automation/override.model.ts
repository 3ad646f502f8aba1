/** Overrides and acts in words, and an override as it is typed. Pure. */
import { parseTags } from "../services/tags.model";
import type { OperatorAct, Override } from "../services/automation";
import type { InstigationOverrideInput } from "../services/schema.gen";
import { instantOf, wallTime } from "../services/time.model";

export interface Typed {
  /** A wall time of the reader's zone; "" for none. */
  pausedUntil: string;
  /** Cron texts, one a line. */
  cron: string;
  zone: string;
  /** Seconds. */
  interval: string;
  config: string;
  tags: string;
  reason: string;
}

/** What the fields hold at first: what is set now. */
export function typedOf(override: Override | null, zone: string): Typed {
  return {
    pausedUntil: override?.pausedUntil == null ? "" : wallTime(override.pausedUntil, zone),
    cron: override?.cronSchedule.join("\n") ?? "",
    zone: override?.executionTimezone ?? "",
    interval: override?.intervalSeconds == null ? "" : String(override.intervalSeconds),
    config: override?.runConfigYaml ?? "",
    tags: override?.tags.map(({ key, value }) => `${key}=${value}`).join(", ") ?? "",
    reason: "",
  };
}

/** What is asked of the API, or what is wrong with what was typed. */
export function readOverride(typed: Typed, zone: string, now: number): InstigationOverrideInput | string {
  const override: InstigationOverrideInput = {};
  if (typed.pausedUntil !== "") {
    const until = instantOf(typed.pausedUntil, zone);
    if (until === null) return "Give the end of the pause as a date and a time.";
    if (until <= now) return "The pause must end in the future.";
    override.pausedUntil = until;
  }
  const cron = typed.cron.split("\n").map((line) => line.trim()).filter(Boolean);
  if (cron.length > 0) override.cronSchedule = cron;
  if (typed.zone.trim() !== "") override.executionTimezone = typed.zone.trim();
  if (typed.interval.trim() !== "") {
    const seconds = Number(typed.interval);
    if (!(seconds > 0)) return "Give the interval in seconds, more than 0.";
    override.intervalSeconds = seconds;
  }
  if (typed.config.trim() !== "") override.runConfigData = typed.config;
  const tags = parseTags(typed.tags);
  if (tags.wrong.length > 0) return `Not a tag: ${tags.wrong.join(", ")}. Write key=value, with commas between.`;
  if (tags.tags.length > 0) override.tags = tags.tags;
  if (Object.keys(override).length === 0) return "Set at least one of them.";
  return typed.reason.trim() === "" ? override : { ...override, reason: typed.reason.trim() };
}

/** What an override sets, piece by piece; `time` writes an instant. */
export function overrideWords(override: Override, time: (seconds: number) => string): string[] {
  const words: string[] = [];
  if (override.pausedUntil !== null) words.push(`paused until ${time(override.pausedUntil)}`);
  if (override.cronSchedule.length > 0) words.push(`cron ${override.cronSchedule.join(" | ")} (${override.cronDescription})`);
  if (override.executionTimezone !== null) words.push(`time zone ${override.executionTimezone}`);
  if (override.intervalSeconds !== null) words.push(`every ${override.intervalSeconds} s`);
  if (override.hasRunConfig) words.push("another run config");
  if (override.tags.length > 0) words.push(`tags ${override.tags.map(({ key, value }) => `${key}=${value}`).join(", ")}`);
  return words;
}

/** Whether it holds anything back or changes anything now: a pause that is over does not. */
export function isPaused(override: Override | null, now: number): boolean {
  return override?.pausedUntil != null && override.pausedUntil > now;
}

const DEEDS: Record<OperatorAct["kind"], string> = {
  START: "Turned on",
  STOP: "Turned off",
  RESET: "Left to the code",
  SET_CURSOR: "Cursor set",
  OVERRIDE: "Overridden",
  WITHDRAW: "Override withdrawn",
  REMOVE: "Removed",
  RESTORE: "Restored",
  PLAN_RUN: "Run planned",
  CANCEL_RUN: "Run called off",
  LAUNCH_RUN: "Launched",
  DELETE_RUN: "Deleted",
  LAUNCH_BACKFILL: "Asked for",
  CHANGE_BACKFILL: "Changed",
  DELETE_BACKFILL: "Deleted",
  REPORT_EVENT: "Event reported",
  WIPE_ASSET: "Wiped",
  ADD_PARTITIONS: "Partitions added",
  REMOVE_PARTITIONS: "Partitions removed",
  SET_LIMIT: "Limit set",
  REMOVE_LIMIT: "Limit removed",
  FREE_SLOTS: "Slots freed",
  ADD_ACCOUNT: "Account made",
  REMOVE_ACCOUNT: "Account removed",
  SET_ROLE: "Role changed",
  DISABLE_ACCOUNT: "Account disabled",
  ENABLE_ACCOUNT: "Account enabled",
  ADD_TOKEN: "Token made",
  REVOKE_TOKEN: "Token revoked",
  RELOAD: "Reloaded",
  IMPORT: "History imported",
  REMOVE_OLD: "Old data removed",
  REFUSED: "Refused",
};

/** "Overridden: paused until 30 Nov, 08:00". */
export function actWords(act: Pick<OperatorAct, "kind" | "cursor" | "override" | "before" | "after">, time: (seconds: number) => string): string {
  const deed = DEEDS[act.kind];
  if (act.override !== null) return `${deed}: ${overrideWords(act.override, time).join(", ")}`;
  if (act.kind === "SET_CURSOR") return `${deed} to ${act.cursor ?? "none"}`;
  const change = [act.before, act.after].filter((words) => words !== null).join(" → ");
  return change === "" ? deed : `${deed}: ${change}`;
}

export interface Subject {
  location: string;
  kind: "schedule" | "sensor" | "one-off";
  name: string;
}

/** What an act was done to, by its id: `location/kind/name`, where a location may have slashes in it. */
export function subjectOf(subject: string): Subject | null {
  const found = /^(.+)\/(schedule|sensor|one-off)\/(.+)$/.exec(subject);
  return found === null ? null : { location: found[1]!, kind: found[2] as Subject["kind"], name: found[3]! };
}
