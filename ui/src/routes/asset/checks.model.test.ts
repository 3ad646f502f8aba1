import { describe, expect, it } from "vitest";

import { checkStatus } from "./checks.model";

describe("checkStatus", () => {
  it("tells failures from warnings and from silence", () => {
    expect(checkStatus(null)).toBe("NOT_EVALUATED");
    expect(checkStatus({ status: "FAILED", evaluation: { success: false, severity: "WARN" } })).toBe("WARNED");
    expect(checkStatus({ status: "FAILED", evaluation: { success: false, severity: "ERROR" } })).toBe("FAILED");
    expect(checkStatus({ status: "IN_PROGRESS", evaluation: null })).toBe("IN_PROGRESS");
  });
});
