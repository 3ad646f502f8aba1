import { describe, expect, it } from "vitest";

import { stepStatuses } from "./runGrid.model";

describe("stepStatuses", () => {
  it("folds mapped steps into the worst of them and leaves out what has not begun", () => {
    const statuses = stepStatuses([
      { stepKey: "load", status: "SUCCESS" },
      { stepKey: "charge[a]", status: "SUCCESS" },
      { stepKey: "charge[b]", status: "FAILURE" },
      { stepKey: "charge[c]", status: "SKIPPED" },
      { stepKey: "publish", status: null },
    ]);
    expect([...statuses]).toEqual([
      ["load", "SUCCESS"],
      ["charge", "FAILURE"],
    ]);
  });
});
