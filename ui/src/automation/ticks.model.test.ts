import { describe, expect, it } from "vitest";

import { changeText, clockText, foldSame, intervalText, latenessText, rhythmText, sensorKind, tickWords } from "./ticks.model";

const error = (message: string) => ({ message, className: "ValueError", stack: [], frames: [], rootCause: null, errorChain: [] });

describe("foldSame", () => {
  const tick = (timestamp: number, skipReason: string | null = "no file", status = "SKIPPED") => ({
    status,
    skipReason,
    timestamp,
    runKeys: [],
    error: null,
  });
  const failed = (timestamp: number, message: string) => ({ ...tick(timestamp, null, "FAILURE"), error: error(message) });
  const told = (...ticks: ReturnType<typeof failed | typeof tick>[]) =>
    foldSame(ticks).map(({ tick: { timestamp }, count, since }) => [timestamp, count, since]);

  it("makes skips for one reason in a row one row, from the newest to the oldest", () => {
    expect(told(tick(9), tick(8), tick(7), tick(6, null, "SUCCESS"), tick(5), tick(4))).toEqual([
      [9, 3, 7],
      [6, 1, 6],
      [5, 1, 5],
      [4, 1, 4],
    ]);
  });

  it("makes failures with one error in a row one row", () => {
    expect(told(failed(9, "gone"), failed(8, "gone"), failed(7, "gone"), failed(6, "late"))).toEqual([
      [9, 3, 7],
      [6, 1, 6],
    ]);
  });

  it("keeps other reasons and other results apart", () => {
    expect(told(tick(9), tick(8), tick(7, "busy"), tick(6, "busy"))).toHaveLength(4);
    expect(told(...[9, 8, 7].map((at) => tick(at, null, "SUCCESS")))).toHaveLength(3);
    expect(told(tick(9, "ValueError: gone"), tick(8, "ValueError: gone"), failed(7, "gone"))).toHaveLength(3);
  });
});

it("says what a tick said: an error with its kind, a reason, or keys", () => {
  expect(tickWords({ error: error("gone"), skipReason: null, runKeys: [] })).toBe("ValueError: gone");
  expect(tickWords({ error: null, skipReason: "no file", runKeys: [] })).toBe("no file");
  expect(tickWords({ error: null, skipReason: null, runKeys: ["a", "b"] })).toBe("a, b");
});

it("says when a sensor is evaluated", () => {
  expect(rhythmText({ onEvents: true }, 0)).toBe("when something happens");
  expect(rhythmText({ onEvents: true }, 300)).toBe("when something happens, at most every 5 min");
  expect(rhythmText({ onEvents: false }, 5)).toBe("every 5 s");
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

it("names the kinds of sensors that it knows, and spells the others out", () => {
  expect(sensorKind("RUN_STATUS")).toBe("sensor on runs");
  expect(sensorKind("FRESHNESS_POLICY")).toBe("freshness policy");
});

it("lateness and changes of clocks in words", () => {
  expect(latenessText({ ticks: 100, p50: 0.12, p99: 1.2 })).toBe("120 ms as a rule, 1.2 s at worst in a hundred, of the last 100 ticks");
  expect(latenessText({ ticks: 1, p50: 0, p99: 0 })).toMatch(/of the last tick$/);
  expect(clockText(null)).toBe("");
  expect(clockText("GAP")).toMatch(/forward/);
  expect(clockText("FOLD")).toMatch(/twice/);
  expect(changeText("after", "first")).toBe("a time that is skipped runs right after the gap, one that is repeated runs the first time");
  expect(changeText("skip", "both")).toBe("a time that is skipped is left out, one that is repeated runs both times");
});
