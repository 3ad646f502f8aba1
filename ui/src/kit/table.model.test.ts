import { describe, expect, it } from "vitest";

import { leastWidth, rowsInSight } from "./table.model";

describe("leastWidth", () => {
  it("adds up pixels, and the least of columns that take what is left", () => {
    expect(leastWidth([{ width: "100px" }, { least: 200 }, {}], 48)).toBe(100 + 200 + 140 + 48);
  });

  it("widens the whole until what per cents leave over suffices", () => {
    expect(leastWidth([{ width: "50%" }, { width: "100px" }, { least: 100 }])).toBe(400);
  });

  it("stays finite when per cents claim everything", () => {
    expect(leastWidth([{ width: "100%" }, { width: "20px" }])).toBe(200);
  });
});

describe("rowsInSight", () => {
  it("draws a short table as a whole", () => {
    expect(rowsInSight(200, 32, 3000, 900)).toEqual({ from: 0, to: 200, above: 0, below: 0 });
  });

  it("draws what is seen and some beyond, and keeps the height of all", () => {
    for (const top of [0, 5, 31_000, 320_000 - 900, 400_000]) {
      const { from, to, above, below } = rowsInSight(10_000, 32, top, 900);
      const first = Math.min(9_999, Math.floor(top / 32));
      expect(from).toBeLessThanOrEqual(first);
      expect(to).toBeGreaterThanOrEqual(Math.min(10_000, first + 29));
      expect(to - from).toBeLessThanOrEqual(200);
      expect(above + (to - from) * 32 + below).toBe(320_000);
    }
  });

  it("stays the same while a few rows scroll by", () => {
    expect(rowsInSight(10_000, 32, 3210, 900)).toEqual(rowsInSight(10_000, 32, 3500, 900));
  });
});
