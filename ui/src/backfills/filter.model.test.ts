import { describe, expect, it } from "vitest";

import { apiFilter, filterParts, readFilter, readTyped } from "./filter.model";

describe("the filter of backfills", () => {
  it("goes from the address to the API", () => {
    expect(apiFilter(readFilter({ asset: "raw/orders", user: "ann", is: "work" }))).toEqual({
      job: null,
      asset: { path: ["raw", "orders"] },
      user: "ann",
      text: null,
    });
  });

  it("is told part by part", () => {
    expect(filterParts(readFilter({ text: "outage", job: "nightly" }))).toEqual([
      { name: "job", label: "Job: nightly" },
      { name: "text", label: "With: outage" },
    ]);
  });

  it("takes what is typed for a part of it, or for words", () => {
    expect(readTyped(" Asset: raw/orders ")).toEqual({ asset: "raw/orders" });
    expect(readTyped("user:ann")).toEqual({ user: "ann" });
    expect(readTyped("after the outage: again")).toEqual({ text: "after the outage: again" });
    expect(readTyped("job:")).toBeNull();
    expect(readTyped("  ")).toBeNull();
  });
});
