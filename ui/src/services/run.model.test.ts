import { describe, expect, it } from "vitest";

import { ASSET_JOB, originOf, ownTags, targetOf } from "./run.model";

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
    [run({}), { kind: "person", name: "Launched by hand" }],
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
});
