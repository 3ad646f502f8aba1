import { describe, expect, it } from "vitest";

import { checkStatus, checksText } from "./checks.model";

describe("checkStatus", () => {
  it("tells failures from warnings and from silence", () => {
    expect(checkStatus(null)).toBe("NOT_EVALUATED");
    expect(checkStatus({ status: "FAILED", evaluation: { success: false, severity: "WARN" } })).toBe("WARNED");
    expect(checkStatus({ status: "FAILED", evaluation: { success: false, severity: "ERROR" } })).toBe("FAILED");
    expect(checkStatus({ status: "IN_PROGRESS", evaluation: null })).toBe("IN_PROGRESS");
  });
});

it("checks that only warn are not counted as failed", () => {
  const passed = { latestExecution: { status: "SUCCEEDED", evaluation: { success: true, severity: "ERROR" } } };
  const warned = { latestExecution: { status: "FAILED", evaluation: { success: false, severity: "WARN" } } };
  const failed = { latestExecution: { status: "FAILED", evaluation: { success: false, severity: "ERROR" } } };
  const broken = { latestExecution: { status: "EXECUTION_FAILED", evaluation: null } };
  expect(checksText([passed, { latestExecution: null }])).toBeNull();
  expect(checksText([warned])).toEqual({ status: "WARNED", text: "1 of 1 check warned" });
  expect(checksText([passed, warned, failed, broken])).toEqual({ status: "FAILED", text: "2 of 4 checks failed, 1 warned" });
});
