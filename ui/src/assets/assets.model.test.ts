import { describe, expect, it } from "vitest";

import { around, assetGraph } from "./assetGraph.model";
import { type AssetRow, assetRows } from "./assetRows.model";
import { facetChoices, filterAssets } from "./catalogue.model";
import { firstPartitioned, fitOneRun, planLaunch } from "./materialize.model";

function asset(key: string, change: Partial<AssetRow> = {}): AssetRow {
  return {
    assetKey: { path: key.split("/") },
    description: null,
    groupName: "default",
    kinds: [],
    owners: [],
    isExecutable: true,
    isMaterializable: true,
    isPartitioned: false,
    repository: { location: { name: "flights" } },
    dependencyKeys: [],
    latestInfo: {
      status: "NEVER_MATERIALIZED",
      latestMaterializationTimestamp: null,
      failedChecks: 0,
      warnedChecks: 0,
      totalChecks: 0,
      partitionStats: null,
    },
    ...change,
  };
}

const reads = (...keys: string[]) => ({ dependencyKeys: keys.map((key) => ({ path: key.split("/") })) });

describe("assetRows", () => {
  it("gives each asset what is at its position in the columns", () => {
    const stats = { numMaterialized: 1, numPartitions: 2, numFailed: 0, numMaterializing: 0 };
    const rows = assetRows({
      path: [["a"], ["mart", "b"]],
      description: [null, "Totals"],
      groupName: ["default", "out"],
      kinds: [[], ["csv"]],
      owners: [[], []],
      locationName: ["flights", "flights"],
      isExecutable: [true, true],
      isMaterializable: [true, true],
      isPartitioned: [false, true],
      dependencies: [[], [2, 0]],
      outsidePath: [["far", "away"]],
      status: ["NEVER_MATERIALIZED", "MATERIALIZED"],
      latestMaterializationTimestamp: [null, 5],
      failedChecks: [0, 1],
      warnedChecks: [0, 1],
      totalChecks: [0, 2],
      partitionStats: [null, stats],
    });
    expect(rows).toEqual([
      asset("a"),
      asset("mart/b", {
        ...reads("far/away", "a"),
        description: "Totals",
        groupName: "out",
        kinds: ["csv"],
        isPartitioned: true,
        latestInfo: {
          status: "MATERIALIZED",
          latestMaterializationTimestamp: 5,
          failedChecks: 1,
          warnedChecks: 1,
          totalChecks: 2,
          partitionStats: stats,
        },
      }),
    ]);
  });
});

describe("filterAssets", () => {
  const all = [
    asset("raw/flights", { groupName: "raw", kinds: ["csv"] }),
    asset("raw/planes", { groupName: "raw", description: "Every aircraft" }),
    asset("report", { groupName: "out", kinds: ["csv", "plot"] }),
  ];
  const names = (found: AssetRow[]) => found.map(({ assetKey }) => assetKey.path.join("/"));

  it("wants every word and every choice", () => {
    expect(names(filterAssets(all, { q: "RAW plane" }))).toEqual(["raw/planes"]);
    expect(names(filterAssets(all, { q: "aircraft" }))).toEqual(["raw/planes"]);
    expect(names(filterAssets(all, { group: "raw", kind: "csv" }))).toEqual(["raw/flights"]);
    expect(names(filterAssets(all, {}))).toHaveLength(3);
  });

  it("counts what each choice would leave, and keeps the chosen one", () => {
    expect(facetChoices(all, { kind: "csv" }, "group")).toEqual([
      { value: "out", count: 1 },
      { value: "raw", count: 1 },
    ]);
    expect(facetChoices(all, { group: "gone" }, "group").find(({ value }) => value === "gone")).toEqual({
      value: "gone",
      count: 0,
    });
  });
});

describe("assetGraph", () => {
  it("joins readers to what they read, with nodes for what comes from elsewhere", () => {
    const { nodes, edges } = assetGraph([asset("a"), asset("b", reads("a", "far/away"))], () => "1 h ago");
    expect(nodes.map((node) => [node.id, node.outside])).toEqual([
      ["a", false],
      ["b", false],
      ["far/away", true],
    ]);
    expect(edges).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  it("leaves out what is defined but not in sight", () => {
    const [a, b] = [asset("a"), asset("b", reads("a"))];
    expect(assetGraph([b], () => "", [a, b])).toMatchObject({ nodes: [{ id: "b" }], edges: [] });
  });

  it("tells partitions, checks and age", () => {
    const info = { ...asset("a").latestInfo, status: "MATERIALIZED" as const };
    const partitionStats = { numMaterialized: 3, numPartitions: 12, numFailed: 0, numMaterializing: 0 };
    const node = (change: Partial<AssetRow["latestInfo"]>) =>
      assetGraph([asset("a", { latestInfo: { ...info, ...change } })], () => "1 h ago").nodes[0];
    expect(node({ failedChecks: 2, latestMaterializationTimestamp: 5, partitionStats })).toMatchObject({
      status: "FAILED",
      note: "2 failed checks",
      detail: "1 h ago",
      progress: 0.25,
    });
    expect(node({ failedChecks: 2, warnedChecks: 1 })).toMatchObject({ status: "FAILED", note: "1 failed check" });
    expect(node({ failedChecks: 1, warnedChecks: 1 })).toMatchObject({ status: "WARNED", note: "1 warning" });
    expect(node({ failedChecks: 2, warnedChecks: 2, status: "MATERIALIZING" })).toMatchObject({ status: "MATERIALIZING", note: "2 warnings" });
    expect(node({ partitionStats })).toMatchObject({ status: "MATERIALIZED", note: "3 of 12" });
  });
});

describe("around", () => {
  it("keeps what is near in both directions", () => {
    const chain = [
      asset("a"),
      asset("b", reads("a")),
      asset("c", reads("b")),
      asset("d", reads("c")),
      asset("e", reads("a")),
    ];
    expect(around(chain, "c", 1).map(({ assetKey }) => assetKey.path[0])).toEqual(["b", "c", "d"]);
    expect(around(chain, "c", 2).map(({ assetKey }) => assetKey.path[0])).toEqual(["a", "b", "c", "d"]);
  });
});

describe("fitOneRun", () => {
  const daily = asset("daily", { isPartitioned: true });
  const weekly = asset("weekly", { isPartitioned: true });
  const elsewhere = asset("x", { isPartitioned: true, repository: { location: { name: "other" } } });

  it("needs nothing to be known of one that is partitioned", () => {
    expect(fitOneRun([daily], undefined)).toBe(true);
    expect(fitOneRun([asset("a"), daily], undefined)).toBe(true);
  });

  it("is so for several of the same partitions alone", () => {
    expect(fitOneRun([daily, weekly], ["1", "1"])).toBe(true);
    expect(fitOneRun([daily, asset("a"), weekly], ["1", "1"])).toBe(true);
    expect(fitOneRun([daily, weekly], ["1", "2"])).toBe(false);
    expect(fitOneRun([daily, weekly], ["1"])).toBe(false);
    expect(fitOneRun([daily, weekly], undefined)).toBe(false);
  });

  it("is so within one code location", () => {
    expect(fitOneRun([daily, elsewhere], ["1", "1"])).toBe(false);
  });
});

describe("planLaunch", () => {
  const daily = asset("daily", { isPartitioned: true });
  const weekly = asset("weekly", { isPartitioned: true, ...reads("daily") });
  const other = asset("x", { repository: { location: { name: "other" } } });

  it("gives a run config to every launch", () => {
    for (const choice of [{ kind: "none" }, { kind: "keys", keys: ["2013-01-01"] }, { kind: "all" }, { kind: "range", first: "a", last: "b" }] as const) {
      expect(planLaunch([daily], choice, { runConfig: "ops: {}" }).params.runConfigData).toBe("ops: {}");
      expect(planLaunch([daily], choice).params).not.toHaveProperty("runConfigData");
    }
  });

  it("makes one run of what has no partitions, and leaves out what cannot be made", () => {
    expect(planLaunch([asset("a"), asset("b", { isMaterializable: false })], { kind: "none" })).toEqual({
      kind: "run",
      params: { selector: { repositoryLocationName: "flights", assetSelection: [{ path: ["a"] }] } },
    });
  });

  it("makes a run of one partition of one asset, and a backfill of more", () => {
    const one = { kind: "keys", keys: ["2013-01-01"] } as const;
    expect(planLaunch([daily], one)).toMatchObject({ kind: "run", params: { partition: "2013-01-01" } });
    expect(planLaunch([daily, weekly], one)).toMatchObject({
      kind: "backfill",
      params: { partitionNames: ["2013-01-01"], partitionsOf: { path: ["daily"] } },
    });
    expect(planLaunch([daily], { kind: "keys", keys: ["2013-01-01", "2013-01-02"] }, { title: "New year" })).toEqual({
      kind: "backfill",
      params: { assetSelection: [{ path: ["daily"] }], partitionNames: ["2013-01-01", "2013-01-02"], title: "New year" },
    });
    expect(planLaunch([daily, asset("a")], { kind: "missing" }, { title: "" })).toEqual({
      kind: "backfill",
      params: { assetSelection: [{ path: ["daily"] }, { path: ["a"] }], allPartitions: true, onlyMissing: true },
    });
  });

  it("makes one backfill over code locations", () => {
    expect(planLaunch([asset("a"), other], { kind: "none" })).toEqual({
      kind: "backfill",
      params: { assetSelection: [{ path: ["a"] }, { path: ["x"] }], allPartitions: true, onlyMissing: false },
    });
    expect(planLaunch([daily, other], { kind: "all" }).kind).toBe("backfill");
  });

  it("makes one run for a range, and asks for it by tags", () => {
    const { kind, params } = planLaunch([daily, asset("a")], { kind: "range", first: "2013-01-01", last: "2013-12-31" });
    expect(kind).toBe("run");
    expect("executionMetadata" in params && params.executionMetadata?.tags).toEqual([
      { key: "penstock/asset_partition_range_start", value: "2013-01-01" },
      { key: "penstock/asset_partition_range_end", value: "2013-12-31" },
    ]);
  });

  it("lets the partitions of the first asset be chosen", () => {
    expect(firstPartitioned([asset("a"), weekly, daily])).toBe(daily);
    expect(firstPartitioned([weekly])).toBe(weekly);
    expect(firstPartitioned([asset("a")])).toBeUndefined();
  });
});
