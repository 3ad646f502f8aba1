import { describe, expect, it } from "vitest";

import { intervalText, skipGroups } from "./ticks.model";

describe("skipGroups", () => {
  it("counts each reason and keeps its latest time", () => {
    const tick = (skipReason: string | null, timestamp: number, status = "SKIPPED") => ({
      status,
      skipReason,
      timestamp,
    });
    expect(
      skipGroups([
        tick("no file", 5),
        tick("busy", 9),
        tick("no file", 3),
        tick(null, 4),
        tick("no file", 1, "SUCCESS"),
      ]),
    ).toEqual([
      { reason: "no file", count: 2, last: 5 },
      { reason: "busy", count: 1, last: 9 },
    ]);
  });
});

describe("intervalText", () => {
  it.each([
    [30, "every 30 s"],
    [90, "every 90 s"],
    [300, "every 5 min"],
    [7200, "every 2 h"],
  ])("says %d as %s", (seconds, text) => {
    expect(intervalText(seconds)).toBe(text);
  });
});
