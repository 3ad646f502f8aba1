import { expect, test } from "vitest";

import { deedsOf, nameOf, paceText, progressText, standing, targetText } from "./backfill.model";

const NONE = { total: 0, waiting: 0, inProgress: 0, materialized: 0, failed: 0, skipped: 0, canceled: 0 };
const HALF = { ...NONE, total: 1200, waiting: 595, inProgress: 5, materialized: 590, failed: 8, skipped: 2 };

test("a paused backfill is told as such as long as it could go on", () => {
  expect(standing({ status: "REQUESTED", paused: false })).toBe("BACKFILL_REQUESTED");
  expect(standing({ status: "REQUESTED", paused: true })).toBe("BACKFILL_PAUSED");
  expect(standing({ status: "CANCELED", paused: true })).toBe("BACKFILL_CANCELED");
});

test("what it is called and about", () => {
  expect(nameOf({ title: "First week", id: "01a22761-df23-7f83-87ce-84d61373f959" })).toBe("First week");
  expect(nameOf({ title: null, id: "01a22761-df23-7f83-87ce-84d61373f959" })).toBe("Backfill 1373f959");
  const assets = { jobName: null, isAssetBackfill: true, numAssets: 1, firstAssetKey: { path: ["raw", "a"] } };
  expect(targetText(assets)).toBe("raw/a");
  expect(targetText({ ...assets, numAssets: 3 })).toBe("raw/a and 2 more");
  expect(targetText({ ...assets, numAssets: 7, firstAssetKey: null })).toBe("7 assets");
  expect(targetText({ jobName: "nightly", isAssetBackfill: false, numAssets: 0, firstAssetKey: null })).toBe("nightly");
});

test("progress in words", () => {
  expect(progressText(HALF)).toBe("590 of 1,200, 8 failed, 2 skipped");
  expect(progressText({ ...NONE, total: 3, materialized: 3 })).toBe("3 of 3");
});

test("pace in words", () => {
  const pace = { partitionsPerHour: 7200, secondsLeft: 300 };
  expect(paceText({ pace })).toBe("5:00 min left, 7,200/h");
  expect(paceText({ pace }, "")).toBe("5:00 min, 7,200/h");
  expect(paceText({ pace: { partitionsPerHour: 1, secondsLeft: 7200 } })).toBe("2:00:00 h left, 1.0/h");
  expect(paceText({ pace: null })).toBe("");
});

test("deeds follow from where it stands", () => {
  const may = (change: object) =>
    Object.entries(deedsOf({ status: "REQUESTED", paused: false, partitionStatusCounts: HALF, ...change })).filter(([, can]) => can).map(([deed]) => deed);
  expect(may({})).toEqual(["pause", "cancel", "priority"]);
  expect(may({ paused: true })).toEqual(["resume", "cancel", "priority"]);
  expect(may({ status: "CANCELING" })).toEqual(["priority"]);
  expect(may({ status: "COMPLETED_FAILED" })).toEqual(["retryFailed", "again"]);
  expect(may({ status: "COMPLETED_SUCCESS", partitionStatusCounts: { ...NONE, total: 2, materialized: 2 } })).toEqual(["again"]);
  expect(may({ status: "FAILED" })).toEqual(["resume", "retryFailed", "again"]);
});
