import { describe, expect, it } from "vitest";
import { columns, countStatuses, indexAt, indicesOf, rangesOf, statusAt, type StatusRange } from "./partitionBar.model";

const RANGES: StatusRange[] = [
  { startIndex: 0, endIndex: 3, status: "MATERIALIZED" },
  { startIndex: 4, endIndex: 4, status: "FAILED" },
  { startIndex: 8, endIndex: 9, status: "MATERIALIZING" },
];

describe("positions as text", () => {
  it("become ranges in order", () => {
    expect(rangesOf({ materialized: "0-3", failed: "4", materializing: "8-9" })).toEqual(RANGES);
    expect(rangesOf({ materialized: "", failed: "7,20-21", materializing: "9" }).map((each) => each.startIndex)).toEqual([
      7, 9, 20,
    ]);
  });
});

describe("columns", () => {
  it("paints one stretch per status when there is room", () => {
    expect(columns(RANGES, 0, 10, 100)).toEqual([
      { left: 0, width: 40, failed: 0, materializing: 0, materialized: 1 },
      { left: 40, width: 10, failed: 1, materializing: 0, materialized: 0 },
      { left: 50, width: 30, failed: 0, materializing: 0, materialized: 0 },
      { left: 80, width: 20, failed: 0, materializing: 1, materialized: 0 },
    ]);
  });

  it("mixes statuses that share a pixel", () => {
    expect(columns(RANGES, 0, 10, 2)).toEqual([
      { left: 0, width: 1, failed: 0.2, materializing: 0, materialized: 0.8 },
      { left: 1, width: 1, failed: 0, materializing: 0.4, materialized: 0 },
    ]);
  });

  it("shows a part, and a million partitions as at most one column a pixel", () => {
    expect(columns(RANGES, 4, 6, 20).map((column) => column.failed)).toEqual([1, 0]);
    const many: StatusRange[] = Array.from({ length: 500_000 }, (_, i) => ({
      startIndex: 2 * i,
      endIndex: 2 * i,
      status: "MATERIALIZED",
    }));
    expect(columns(many, 0, 1_000_000, 800).length).toBeLessThanOrEqual(800);
  });
});

describe("statuses", () => {
  it("answers for one, for all, and for a choice", () => {
    expect([0, 4, 5, 8].map((index) => statusAt(RANGES, index))).toEqual([
      "MATERIALIZED",
      "FAILED",
      "MISSING",
      "MATERIALIZING",
    ]);
    expect(countStatuses(RANGES, 10)).toEqual({ MATERIALIZED: 4, FAILED: 1, MATERIALIZING: 2, MISSING: 3 });
    expect(indicesOf(RANGES, new Set(["FAILED", "MISSING"] as const), 0, 10)).toEqual([4, 5, 6, 7]);
    expect(indicesOf(RANGES, new Set(["MISSING"] as const), 6, 7)).toEqual([6]);
  });
});

describe("indexAt", () => {
  it("stays within what is shown", () => {
    expect([-5, 0, 55, 99, 500].map((px) => indexAt(px, 0, 10, 100))).toEqual([0, 0, 5, 9, 9]);
  });
});
