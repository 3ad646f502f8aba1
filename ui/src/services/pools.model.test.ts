import { describe, expect, it } from "vitest";

import { limitOf, limitText, stepText } from "./pools.model";

describe("a limit", () => {
  it("is told with where it comes from", () => {
    expect([limitText(null, true), limitText(3, true), limitText(0, false)]).toEqual(["No limit", "3 (default)", "0"]);
  });

  it("is a whole number in range, or nothing", () => {
    expect(["", "  ", "0", " 12 ", "1000"].map((typed) => limitOf(typed, 1000))).toEqual([null, null, 0, 12, 1000]);
  });

  it("says what is wrong with it otherwise", () => {
    for (const typed of ["-1", "1001", "1.5", "many"]) expect(limitOf(typed, 1000)).toBe("A limit is a whole number from 0 to 1000.");
  });
});

describe("a claim", () => {
  it("is a step's, or the whole run's", () => {
    expect([stepText("load"), stepText("")]).toEqual(["load", "Whole run"]);
  });
});
