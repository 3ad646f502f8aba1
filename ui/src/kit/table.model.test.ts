import { describe, expect, it } from "vitest";

import { leastWidth } from "./table.model";

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
