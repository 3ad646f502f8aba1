import { describe, expect, it } from "vitest";

import { type Part, partRows, requestWords } from "./evaluation.model";

const part = (uniqueId: string, rest: Partial<Part> = {}): Part => ({
  uniqueId,
  operatorType: "missing",
  expandedLabel: ["missing"],
  meaning: "it was never updated",
  entity: "orders",
  isPartitioned: false,
  numTrue: 0,
  numCandidates: 1,
  truePartitions: [],
  ...rest,
});

describe("the parts of a condition", () => {
  it("stand as deep as their ids say", () => {
    expect(partRows([part("0"), part("0.0"), part("0.0.1"), part("0.1")]).map(({ depth }) => depth)).toEqual([0, 1, 2, 1]);
  });

  it("name the asset that they look at where it changes", () => {
    const rows = partRows([part("0"), part("0.0", { entity: "raw" }), part("0.0.0", { entity: "raw" })]);
    expect(rows.map(({ of }) => of)).toEqual([null, "raw", null]);
  });

  it("tell what was not asked from what is false", () => {
    const rows = partRows([part("0", { numTrue: 1 }), part("0.0"), part("0.1", { numCandidates: 0 })]);
    expect(rows.map(({ answer }) => answer)).toEqual(["true", "false", "not asked"]);
  });

  it("count partitions, and name those that are true", () => {
    const [row] = partRows([part("0", { isPartitioned: true, numTrue: 2, numCandidates: 1356, truePartitions: ["a to b"] })]);
    expect(row?.detail).toBe("2 of 1,356: a to b");
    expect(partRows([part("0")])[0]?.detail).toBe("");
  });
});

describe("what an evaluation asked for", () => {
  it.each([
    [0, true, "nothing requested"],
    [1, false, "requested"],
    [1, true, "1 partition requested"],
    [1200, true, "1,200 partitions requested"],
  ])("is told for %s", (count, partitioned, words) => {
    expect(requestWords(count, partitioned)).toBe(words);
  });
});
