import { expect, test } from "vitest";

import type { BackfillCard } from "../services/backfills";
import { consequence, countText, subjectsOf } from "./bulk.model";

const COUNTS = { total: 10, waiting: 3, inProgress: 1, materialized: 4, failed: 2, skipped: 0, canceled: 0 };
const UNDER_WAY = {
  id: "1",
  status: "REQUESTED",
  paused: false,
  partitionStatusCounts: COUNTS,
  hasCancelPermission: true,
  hasResumePermission: true,
} as BackfillCard;
const PAUSED = { ...UNDER_WAY, id: "2", paused: true };
const ENDED = { ...UNDER_WAY, id: "3", status: "COMPLETED_FAILED" } as const;
const ALL = [UNDER_WAY, PAUSED, ENDED];

const ids = (found: readonly BackfillCard[]) => found.map(({ id }) => id);

test("each deed is done with those that are in a state for it", () => {
  expect(ids(subjectsOf(ALL, "pause"))).toEqual(["1"]);
  expect(ids(subjectsOf(ALL, "resume"))).toEqual(["2"]);
  expect(ids(subjectsOf(ALL, "cancel"))).toEqual(["1", "2"]);
  expect(ids(subjectsOf(ALL, "retryFailed"))).toEqual(["3"]);
});

test("and that the reader may do it with", () => {
  const mayLaunch = ALL.map((backfill) => ({ ...backfill, hasCancelPermission: false }));
  expect(ids(subjectsOf(mayLaunch, "pause"))).toEqual([]);
  expect(ids(subjectsOf(mayLaunch, "cancel"))).toEqual([]);
  expect(ids(subjectsOf(mayLaunch, "resume"))).toEqual(["2"]);
});

test("what follows is told with counts", () => {
  expect(countText(1)).toBe("1 backfill");
  expect(countText(1200)).toBe("1,200 backfills");
  expect(consequence("cancel", [UNDER_WAY])).toBe("No more runs are made, and what is in progress is stopped: 1 partition. What is made stays.");
  expect(consequence("retryFailed", [ENDED, ENDED])).toBe("For each a new backfill asks for what it did not make: 12 partitions in all.");
  expect(consequence("pause", [UNDER_WAY])).toContain("3 partitions not begun");
});
