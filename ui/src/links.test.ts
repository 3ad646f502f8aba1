import { describe, expect, it } from "vitest";

import { links, withSearch } from "./links";

describe("links", () => {
  it("escape what stands between slashes", () => {
    expect(links.asset(["raw data", "a/b"])).toBe("/assets/raw%20data/a%2Fb");
    expect(links.job("main", "nightly", { tab: "launch" })).toBe("/locations/main/jobs/nightly?tab=launch");
  });

  it("leave empty search values out and join lists", () => {
    expect(withSearch("/runs", { status: ["FAILURE", "CANCELED"], job: "", tag: undefined, n: 3 })).toBe(
      "/runs?status=FAILURE,CANCELED&n=3",
    );
    expect(withSearch("/runs", { status: [] })).toBe("/runs");
  });
});
