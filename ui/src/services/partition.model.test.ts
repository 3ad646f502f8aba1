import { describe, expect, it } from "vitest";

import { rangeTags, readPartition } from "./partition.model";

describe("readPartition", () => {
  it("reads one key, a range, and nothing", () => {
    expect(readPartition(" 2013-01-01 ")).toEqual({ partition: "2013-01-01", tags: [] });
    expect(readPartition("2013-01-01...2013-02-01")).toEqual({ tags: rangeTags("2013-01-01", "2013-02-01") });
    expect(readPartition("  ")).toEqual({ tags: [] });
  });
});
