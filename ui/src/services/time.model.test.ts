import { describe, expect, it } from "vitest";

import { clockTime, durationText, instantOf, longTime, relativeTime, shortTime, wallTime } from "./time.model";

const UTC = { zone: "UTC", hourCycle: "24" } as const;
const NOON = Date.UTC(2026, 10, 23, 12, 0, 0) / 1000;

describe("instants", () => {
  it("leave the year out when it is this one", () => {
    expect(shortTime(NOON, NOON, UTC)).toBe("23 Nov, 12:00");
    expect(shortTime(NOON + 9, NOON, UTC, true)).toBe("23 Nov, 12:00:09");
    expect(shortTime(NOON - 365 * 86_400, NOON, UTC)).toBe("23 Nov 2025, 12:00");
  });

  it.each([
    ["Europe/Berlin", "13:00:00.250"],
    ["America/Los_Angeles", "04:00:00.250"],
    ["Asia/Kolkata", "17:30:00.250"],
    ["Australia/Lord_Howe", "23:00:00.250"],
  ])("are shown in the chosen zone: %s", (zone, expected) => {
    expect(clockTime(NOON + 0.25, { zone, hourCycle: "24" })).toBe(expected);
  });

  it("name the zone in their long form, on both sides of a clock change", () => {
    const berlin = { zone: "Europe/Berlin", hourCycle: "24" } as const;
    expect(longTime(Date.UTC(2026, 9, 25, 0, 30) / 1000, berlin)).toContain("02:30:00");
    expect(longTime(Date.UTC(2026, 9, 25, 1, 30) / 1000, berlin)).toContain("02:30:00");
    expect(longTime(Date.UTC(2026, 9, 25, 0, 30) / 1000, berlin)).not.toBe(longTime(Date.UTC(2026, 9, 25, 1, 30) / 1000, berlin));
  });
});

describe("relativeTime", () => {
  it.each([
    [0, "just now"],
    [12, "12 s ago"],
    [119, "1 min ago"],
    [7200, "2 h ago"],
    [86_400 * 3 + 5, "3 d ago"],
    [-180, "in 3 min"],
  ])("%i s before now is %s", (before, expected) => {
    expect(relativeTime(NOON - before, NOON)).toBe(expected);
  });
});

describe("durationText", () => {
  it.each([
    [0.0002, "< 1 ms"],
    [0.004, "4 ms"],
    [0.9999, "1.0 s"],
    [1.24, "1.2 s"],
    [9.97, "10 s"],
    [59.6, "1:00 min"],
    [125, "2:05 min"],
    [3723, "1:02:03 h"],
    [180_000, "2 d 02 h"],
    [-1, "0 ms"],
  ])("%d s is %s", (seconds, expected) => {
    expect(durationText(seconds)).toBe(expected);
  });
});

describe("wall times", () => {
  const at = (iso: string) => Date.parse(iso) / 1000;

  it("go to instants and back in every zone", () => {
    for (const zone of ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe"]) {
      for (const text of ["2026-01-15T00:00", "2026-07-15T23:59", "2026-11-29T14:05"]) {
        expect(wallTime(instantOf(text, zone)!, zone)).toBe(text);
      }
    }
    expect(instantOf("2026-11-29T14:05", "Asia/Kolkata")).toBe(at("2026-11-29T08:35:00Z"));
  });

  it("that clocks skip are the first instant after the gap", () => {
    expect(instantOf("2026-03-29T02:30", "Europe/Berlin")).toBe(at("2026-03-29T01:00:00Z"));
    expect(instantOf("2026-10-04T02:15", "Australia/Lord_Howe")).toBe(at("2026-10-03T15:30:00Z"));
  });

  it("that clocks repeat are the earlier one", () => {
    expect(instantOf("2026-10-25T02:30", "Europe/Berlin")).toBe(at("2026-10-25T00:30:00Z"));
    expect(instantOf("2026-11-01T01:30", "America/Los_Angeles")).toBe(at("2026-11-01T08:30:00Z"));
  });

  it("are refused where they are none", () => {
    for (const wrong of ["", "tomorrow", "2026-13-01T00:00", "2026-11-29"]) expect(instantOf(wrong, "UTC")).toBeNull();
  });
});
