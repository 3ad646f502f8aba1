import { describe, expect, it } from "vitest";

import { type Entry, score, search } from "./palette.model";

const entry = (name: string): Entry => ({ id: name, kind: "Asset", name, detail: "" });

describe("score", () => {
  it("wants the letters in order", () => {
    expect(score("dly", "daily_delays")).not.toBeNull();
    expect(score("yld", "daily")).toBeNull();
  });

  it("prefers whole pieces, then starts of words", () => {
    expect(score("delay", "daily_delays")!).toBeGreaterThan(score("delay", "d_e_l_a_y")!);
    expect(score("dd", "daily_delays")!).toBeGreaterThan(score("dd", "added_on")! - 1000);
    expect(score("raw", "raw_flights")!).toBeGreaterThan(score("raw", "drawn_flights")!);
  });
});

describe("search", () => {
  it("gives the best first, and no more than asked for", () => {
    const found = search("flights", [entry("cleaned_flights"), entry("flights"), entry("weather"), entry("flights_raw")], 2);
    expect(found.map((each) => each.name)).toEqual(["flights", "flights_raw"]);
  });
});
