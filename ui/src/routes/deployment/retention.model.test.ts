import { expect, test } from "vitest";

import type { KeptKind } from "../../services/retention";
import { amountText, kindName, workText } from "./retention.model";

const KIND: KeptKind = {
  kind: "ticks",
  rule: "schedules 30 days, sensors 30 days",
  rows: 3,
  oldestTimestamp: null,
  bytes: null,
  tooOld: 0,
  nextTimestamp: null,
  removed: 0,
};

test("small amounts are exact, large ones are said to be estimates", () => {
  expect(amountText(0)).toBe("0");
  expect(amountText(10_000)).toBe("10,000");
  expect(amountText(345_678)).toBe("about 346,000");
  expect(amountText(12_345_678)).toBe("about 12.3 million");
});

test("each kind has a name, and one that is not known keeps its own", () => {
  expect(kindName("compute_logs")).toBe("Output of steps");
  expect(kindName("other")).toBe("other");
});

test("what a look removed comes before what it has still to remove", () => {
  expect(workText(KIND, true)).toBe("");
  expect(workText({ ...KIND, tooOld: 12 }, false)).toBe("12 to be removed");
  expect(workText({ ...KIND, tooOld: 12 }, true)).toBe("");
  expect(workText({ ...KIND, tooOld: 12, removed: 5 }, false)).toBe("5 removed");
});
