import { describe, expect, test } from "vitest";

import { type Entry, entryStep, entryTone, entryWords, shownText } from "./mergedLog.model";

const line = (stream: string): Entry => ({ fileKey: "load", stream, text: "x", timestamp: "1", event: null });
const event = (eventType: string | null, level: "INFO" | "ERROR" = "INFO"): Entry => ({
  fileKey: null,
  stream: null,
  text: "x",
  timestamp: "1",
  event: { eventId: "7", eventType, level, stepKey: eventType === "RUN_START" ? null : "load" },
});

describe("an entry", () => {
  test("says what it is", () => {
    expect([line("stdout"), line("stderr"), event(null), event("STEP_START")].map(entryWords)).toEqual([
      "stdout",
      "stderr",
      "info",
      "step start",
    ]);
  });

  test("is coloured by how grave it is; output is output, whatever it says", () => {
    expect([line("stderr"), event(null, "ERROR"), event("STEP_SUCCESS"), event(null)].map(entryTone)).toEqual([
      "output",
      "bad",
      "good",
      "log",
    ]);
  });

  test("is of a step or of the run", () => {
    expect([line("stdout"), event(null), event("RUN_START")].map(entryStep)).toEqual(["load", "load", null]);
  });

  test("is cut where a row could not bear it", () => {
    expect(shownText("short")).toBe("short");
    expect(shownText("x".repeat(1_000_000))).toBe(`${"x".repeat(5_000)} ... 995,000 more characters`);
  });
});
