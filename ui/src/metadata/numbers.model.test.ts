import { describe, expect, it } from "vitest";
import { byPartition, collectSeries, niceScale, shortNumber } from "./numbers.model";

const event = (timestamp: string, partition: string | null, ...numbers: [string, number][]) => ({
  timestamp,
  partition,
  numbers: numbers.map(([label, value]) => ({ label, value })),
});

describe("collectSeries", () => {
  it("makes one series per label in time order and skips what is no number", () => {
    const found = collectSeries([event("200", null, ["rows", 7], ["share", NaN]), event("100", "a", ["rows", 5])]);
    expect(found).toEqual([
      {
        label: "rows",
        points: [
          { at: 100, value: 5, partition: "a" },
          { at: 200, value: 7, partition: null },
        ],
      },
    ]);
  });
});

describe("byPartition", () => {
  it("keeps the latest value of each partition, by key", () => {
    const [rows] = collectSeries([
      event("1", "b", ["rows", 1]),
      event("2", "a", ["rows", 2]),
      event("3", "b", ["rows", 3]),
    ]);
    expect(byPartition(rows!).points.map((point) => [point.partition, point.value])).toEqual([
      ["a", 2],
      ["b", 3],
    ]);
  });
});

describe("niceScale", () => {
  it("starts at zero when values are near it, and holds every value", () => {
    expect(niceScale([3, 97])).toEqual({ low: 0, high: 100, ticks: [0, 50, 100] });
    const { low, high } = niceScale([1000, 1010]);
    expect([low, high]).toEqual([1000, 1010]);
  });

  it("gives room to a flat series and to none", () => {
    const { low, high } = niceScale([5, 5]);
    expect(low).toBeLessThan(5);
    expect(high).toBeGreaterThan(5);
    expect(niceScale([])).toEqual({ low: 0, high: 1, ticks: [0, 1] });
  });
});

describe("shortNumber", () => {
  it.each([
    [0, "0"],
    [12, "12"],
    [1234, "1234"],
    [12_340, "12.3k"],
    [3_367_760, "3.37M"],
    [0.12345, "0.123"],
    [0.00001, "1.0e-5"],
  ])("shortens %d to %s", (value, expected) => expect(shortNumber(value)).toBe(expected));
});
