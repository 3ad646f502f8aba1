import { expect, it } from "vitest";

import { freshText } from "./freshness.model";

const window = { __typename: "TimeWindowFreshnessPolicy", failWindowSeconds: 7200 } as const;
const cron = {
  __typename: "CronFreshnessPolicy",
  deadlineCron: "0 9 * * *",
  timezone: "UTC",
} as const;

it("tells the state and what was asked for", () => {
  expect(freshText("PASS", window)).toBe("yes; to be made every 2 h");
  expect(freshText("FAIL", cron)).toBe("no; to be made by 0 9 * * * (UTC)");
});
