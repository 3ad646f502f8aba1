import { describe, expect, it } from "vitest";

import { ASSET_JOB, originOf, ownTags, partitionsText, targetOf } from "./run.model";

const run = (tags: Record<string, string>, parentRunId: string | null = null) => ({
  tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  parentRunId,
});

describe("originOf", () => {
  it.each([
    [run({ "penstock/schedule_name": "nightly" }), { kind: "schedule", name: "nightly" }],
    [run({ "penstock/sensor_name": "files" }, "p"), { kind: "sensor", name: "files" }],
    [run({ "penstock/backfill": "b1" }), { kind: "backfill", name: "b1" }],
    [run({ "penstock/backfill": "b1" }, "0123456789abcdef"), { kind: "reexecution", name: "89abcdef" }],
    [run({ "penstock/user": "ada" }), { kind: "person", name: "ada" }],
    [run({}), { kind: "person", name: "By hand" }],
  ])("of %j is %j", (given, expected) => {
    expect(originOf(given)).toEqual(expected);
  });
});

describe("ownTags", () => {
  it("are those that no part of the engine set", () => {
    const tags = [
      { key: "team", value: "x" },
      { key: "penstock/user", value: "ada" },
      { key: ".hidden", value: "1" },
    ];
    expect(ownTags(tags)).toEqual([{ key: "team", value: "x" }]);
  });
});

describe("targetOf", () => {
  const asset = (...path: string[]) => ({ path });
  it("is the job, or the assets when the job is only a frame", () => {
    expect(targetOf({ jobName: "nightly", assetSelection: [asset("a")] })).toBe("nightly");
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: [asset("a", "b")] })).toBe("a/b");
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: [asset("a"), asset("b"), asset("c")] })).toBe("a and 2 more");
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: null })).toBe("All assets");
  });

  it("names a few assets where there is room, and never leaves out only one", () => {
    const assets = [asset("a"), asset("b"), asset("c"), asset("d")];
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: assets }, 2)).toBe("a, b and 2 more");
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: assets }, 3)).toBe("a, b, c and d");
    expect(targetOf({ jobName: ASSET_JOB, assetSelection: assets.slice(0, 2) })).toBe("a and b");
  });
});

describe("partitionsText", () => {
  const tags = [
    { key: "penstock/asset_partition_range_start", value: "2013-01-01" },
    { key: "penstock/asset_partition_range_end", value: "2013-12-31" },
  ];
  it("is the partition, the range, or nothing", () => {
    expect(partitionsText({ partition: "x", tags: [] })).toBe("x");
    expect(partitionsText({ partition: null, tags })).toBe("2013-01-01 to 2013-12-31");
    expect(partitionsText({ partition: null, tags: tags.slice(0, 1) })).toBe("");
  });
});
