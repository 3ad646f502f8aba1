import { describe, expect, it } from "vitest";

import { jobGraph, type Step, stepNote } from "./jobGraph.model";

function step(key: string, upstreamKeys: string[] = [], change: Partial<Step> = {}): Step {
  return {
    key,
    opName: key,
    kind: "COMPUTE",
    description: null,
    computeKind: null,
    maxRetries: 0,
    timeoutSeconds: null,
    pool: null,
    resources: [],
    assetKeys: [],
    assetChecks: [],
    tags: [],
    inputs: [{ name: "rows", typeName: "Any", upstreamKeys }],
    outputs: [{ name: "result", typeName: "Any", isDynamic: false, isRequired: true }],
    ...change,
  };
}

describe("jobGraph", () => {
  it("draws one edge per pair of steps, and none to what is not in the job", () => {
    const double = step("b", ["a", "a", "gone"]);
    const { nodes, edges } = jobGraph([step("a"), double]);
    expect(nodes.map((node) => node.id)).toEqual(["a", "b"]);
    expect(edges).toEqual([[0, 1]]);
  });

  it("names what a step is", () => {
    expect(stepNote(step("a"))).toBe("op");
    expect(stepNote(step("a_2", [], { opName: "a" }))).toBe("op a");
    expect(stepNote(step("m", [], { kind: "UNRESOLVED_MAPPED" }))).toBe("mapped");
    expect(jobGraph([step("r", [], { maxRetries: 3 })]).nodes[0]?.detail).toBe("3 retries");
  });
});
