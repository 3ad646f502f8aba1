import { describe, expect, it } from "vitest";

import type { RunStatus } from "../../services/schema.gen";
import { failedChecks, groupFailures, unmended, untaken } from "./attention.model";

describe("unmended", () => {
  const run = (creationTime: number, status: RunStatus, partition: string | null = null, asset?: string) => ({
    status,
    repositoryLocationName: "here",
    jobName: "job",
    partition,
    assetSelection: asset === undefined ? null : [{ path: [asset] }],
    creationTime,
  });

  it("forgets a failure once the same succeeded", () => {
    expect(unmended([run(2, "SUCCESS"), run(1, "FAILURE")])).toEqual([]);
  });

  it("keeps failures after the last success, and of other partitions and assets", () => {
    const kept = [run(3, "FAILURE"), run(1, "FAILURE", "monday"), run(1, "FAILURE", null, "a")];
    expect(unmended([...kept, run(2, "SUCCESS"), run(2, "SUCCESS", "tuesday"), run(2, "SUCCESS", null, "b")])).toEqual(kept);
  });
});

describe("groupFailures", () => {
  it("takes messages that differ in numbers only as one", () => {
    const failed = (message: string, jobName = "j") => ({ jobName, failure: { stepKey: "s", message } });
    const groups = groupFailures([failed("row 1 bad"), failed("row 27 bad"), failed("gone"), failed("row 1 bad", "k")]);
    expect(groups.map((group) => group.runs.length)).toEqual([2, 1, 1]);
  });
});

describe("failedChecks", () => {
  const check = (name: string, status: string | null, timestamp = 0, severity = "ERROR", description: string | null = null) => ({
    name,
    latestExecution: status === null ? null : { status, timestamp, evaluation: { severity, description } },
  });

  it("are those whose latest evaluation did not pass; errors first", () => {
    const found = failedChecks([
      { assetKey: { path: ["a"] }, assetChecks: [check("good", "SUCCEEDED"), check("new", null), check("soft", "FAILED", 9, "WARN", "3 are odd")] },
      { assetKey: { path: ["b"] }, assetChecks: [check("hard", "FAILED", 2), check("broken", "EXECUTION_FAILED", 5, "WARN")] },
    ]);
    expect(found.map(({ name, warns, words }) => [name, warns, words])).toEqual([
      ["broken", false, "could not be evaluated"],
      ["hard", false, "did not pass"],
      ["soft", true, "3 are odd"],
    ]);
  });
});

describe("untaken", () => {
  const NOW = 1_000_000;
  const message = (target: string, at: number, error: string | null = "503", ended: number | null = null) => ({
    rule: "nightly",
    target,
    error,
    createdTimestamp: at,
    endedTimestamp: ended,
  });

  it("tells each place once, by the newest message that was not taken there", () => {
    const found = untaken([message("slack", 5), message("slack", 9, "429"), message("mail", 7), message("slack", 10, null)], NOW);
    expect(found).toEqual([
      { rule: "nightly", target: "slack", error: "429", at: 9, isGivenUp: false },
      { rule: "nightly", target: "mail", error: "503", at: 7, isGivenUp: false },
    ]);
  });

  it("tells what was given up for a day", () => {
    const told = (ended: number) => untaken([message("slack", 5, "gone", ended)], NOW).map(({ isGivenUp }) => isGivenUp);
    expect(told(NOW - 86_000)).toEqual([true]);
    expect(told(NOW - 87_000)).toEqual([]);
  });
});
