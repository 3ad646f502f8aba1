import { describe, expect, test } from "vitest";

import { actWords, isPaused, overrideWords, readOverride, subjectOf, typedOf } from "./override.model";

const EMPTY = { pausedUntil: "", cron: "", zone: "", interval: "", config: "", tags: "", reason: "" };
const NOW = Date.parse("2026-11-29T12:00:00Z") / 1000;
const NONE = {
  pausedUntil: null,
  cronSchedule: [],
  cronDescription: null,
  executionTimezone: null,
  intervalSeconds: null,
  runConfigYaml: null,
  hasRunConfig: false,
  tags: [],
  actor: null,
  reason: null,
  timestamp: NOW,
};
const time = (seconds: number) => `at ${seconds}`;

describe("what is typed", () => {
  test("is what is set now, and goes back to it", () => {
    const set = { ...NONE, pausedUntil: NOW + 3600, cronSchedule: ["0 5 * * *", "0 17 * * *"], executionTimezone: "UTC", intervalSeconds: 30, tags: [{ key: "a", value: "b" }], runConfigYaml: "ops: {}\n" };
    const typed = typedOf(set, "Europe/Berlin");
    expect(typed.pausedUntil).toBe("2026-11-29T14:00");
    expect(readOverride({ ...typed, reason: " so " }, "Europe/Berlin", NOW)).toEqual({
      pausedUntil: NOW + 3600,
      cronSchedule: ["0 5 * * *", "0 17 * * *"],
      executionTimezone: "UTC",
      intervalSeconds: 30,
      runConfigData: "ops: {}\n",
      tags: [{ key: "a", value: "b" }],
      reason: "so",
    });
    expect(typedOf(null, "UTC")).toEqual(EMPTY);
  });

  test("is refused with the reason", () => {
    expect(readOverride(EMPTY, "UTC", NOW)).toMatch(/at least one/);
    expect(readOverride({ ...EMPTY, reason: "alone" }, "UTC", NOW)).toMatch(/at least one/);
    expect(readOverride({ ...EMPTY, pausedUntil: "2026-11-29T11:59" }, "UTC", NOW)).toMatch(/future/);
    expect(readOverride({ ...EMPTY, pausedUntil: "soon" }, "UTC", NOW)).toMatch(/date/);
    expect(readOverride({ ...EMPTY, interval: "-1" }, "UTC", NOW)).toMatch(/interval/);
    expect(readOverride({ ...EMPTY, tags: "team" }, "UTC", NOW)).toMatch(/Not a tag: team/);
  });
});

test("overrides and acts in words", () => {
  const set = { ...NONE, pausedUntil: 5, cronSchedule: ["@daily"], cronDescription: "At 00:00", hasRunConfig: true, tags: [{ key: "a", value: "b" }] };
  expect(overrideWords(set, time)).toEqual(["paused until at 5", "cron @daily (At 00:00)", "another run config", "tags a=b"]);
  expect(overrideWords({ ...NONE, executionTimezone: "UTC", intervalSeconds: 9 }, time)).toEqual(["time zone UTC", "every 9 s"]);
  expect(actWords({ kind: "OVERRIDE", cursor: null, override: set, before: null, after: null }, time)).toBe("Overridden: paused until at 5, cron @daily (At 00:00), another run config, tags a=b");
  expect(actWords({ kind: "SET_CURSOR", cursor: "42", override: null, before: null, after: null }, time)).toBe("Cursor set to 42");
  expect(actWords({ kind: "SET_CURSOR", cursor: null, override: null, before: null, after: null }, time)).toBe("Cursor set to none");
  expect(actWords({ kind: "STOP", cursor: null, override: null, before: null, after: null }, time)).toBe("Turned off");
  expect(actWords({ kind: "SET_LIMIT", cursor: null, override: null, before: "1 slot", after: "3 slots" }, time)).toBe("Limit set: 1 slot → 3 slots");
  expect(actWords({ kind: "DELETE_RUN", cursor: null, override: null, before: "shop/nightly, FAILURE", after: null }, time)).toBe("Deleted: shop/nightly, FAILURE");
});

test("a pause that is over holds nothing back", () => {
  expect(isPaused(null, NOW)).toBe(false);
  expect(isPaused(NONE, NOW)).toBe(false);
  expect(isPaused({ ...NONE, pausedUntil: NOW - 1 }, NOW)).toBe(false);
  expect(isPaused({ ...NONE, pausedUntil: NOW + 1 }, NOW)).toBe(true);
});

test("what an act was done to", () => {
  expect(subjectOf("a/b/schedule/nightly")).toEqual({ location: "a/b", kind: "schedule", name: "nightly" });
  expect(subjectOf("shop/one-off/017")).toEqual({ location: "shop", kind: "one-off", name: "017" });
  expect(subjectOf("shop")).toBeNull();
});
