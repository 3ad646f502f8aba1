import { describe, expect, it } from "vitest";

import { eventTone, levelsFrom, readLogFilter, rowHeight, shownLines } from "./eventLog.model";

describe("readLogFilter", () => {
  it("reads the address, and ignores levels that do not exist", () => {
    expect(readLogFilter({ steps: "a,b[1]", level: "ERROR", q: "x" })).toEqual({ steps: ["a", "b[1]"], level: "ERROR", text: "x" });
    expect(readLogFilter({ level: "LOUD" })).toEqual({ steps: [], level: null, text: "" });
  });
});

describe("levelsFrom", () => {
  it("includes all that are graver", () => {
    expect(levelsFrom("WARNING")).toEqual(["WARNING", "ERROR", "CRITICAL"]);
    expect(levelsFrom(null)).toBeNull();
  });
});

describe("eventTone", () => {
  it.each([
    ["STEP_FAILURE", "DEBUG", "bad"],
    [null, "CRITICAL", "bad"],
    [null, "INFO", "log"],
    ["STEP_UP_FOR_RETRY", "DEBUG", "warn"],
    ["ASSET_MATERIALIZATION", "INFO", "asset"],
    ["RUN_SUCCESS", "DEBUG", "good"],
    ["STEP_START", "DEBUG", "plain"],
  ] as const)("of %s at %s is %s", (eventType, level, tone) => expect(eventTone({ eventType, level })).toBe(tone));
});

describe("rows", () => {
  it("show several lines, but not without end", () => {
    expect(shownLines("a\nb\n")).toEqual(["a", "b"]);
    const long = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    expect(shownLines(long)).toHaveLength(10);
    expect(shownLines(long).at(-1)).toBe("... 21 more lines");
    expect(rowHeight("a\nb")).toBeGreaterThan(rowHeight("a"));
  });
});
