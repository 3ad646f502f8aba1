/** How an entry of the merged log reads in one row. Pure. */
import type { MergedEntry } from "../../services/runs";
import { type EventTone, eventTone, eventWords } from "./eventLog.model";

export type Entry = Pick<MergedEntry, "fileKey" | "stream" | "text" | "timestamp"> & {
  event: Pick<NonNullable<MergedEntry["event"]>, "eventId" | "eventType" | "level" | "stepKey"> | null;
};

const MOST_SHOWN = 5_000;

/** "stdout", "stderr", the level of what was logged, or the words for the event. */
export function entryWords({ stream, event }: Entry): string {
  if (event === null) return stream ?? "";
  return event.eventType === null ? event.level.toLowerCase() : eventWords(event.eventType);
}

export function entryTone({ event }: Entry): EventTone | "output" {
  return event === null ? "output" : eventTone(event);
}

/** The step that an entry is of; null: of the run. */
export function entryStep({ fileKey, event }: Entry): string | null {
  return event === null ? fileKey : event.stepKey;
}

/** A text as long as a row can bear; the download has all of it. */
export function shownText(text: string): string {
  if (text.length <= MOST_SHOWN) return text;
  return `${text.slice(0, MOST_SHOWN)} ... ${(text.length - MOST_SHOWN).toLocaleString("en")} more characters`;
}
