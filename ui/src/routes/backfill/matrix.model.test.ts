import { expect, test } from "vitest";

import { OUTCOMES } from "../../backfills/backfill.model";
import { DRAWN, outcomeAt, positionsOf, stretchesOf } from "./matrix.model";

const NOTHING = { waiting: "", inProgress: "", materialized: "", failed: "", skipped: "", canceled: "" };
const ROW = {
  assetKey: { path: ["raw", "a"] },
  isPartitioned: true,
  positions: { ...NOTHING, materialized: "10-12,15", failed: "13", waiting: "20-29", inProgress: "14" },
};

test("positions become stretches in order", () => {
  const row = stretchesOf(ROW);
  expect(row.name).toBe("raw/a");
  expect([row.from, row.to]).toEqual([10, 30]);
  expect(row.stretches.map(({ first, last, outcome }) => `${first}-${last} ${outcome}`)).toEqual([
    "10-12 materialized",
    "13-13 failed",
    "14-14 inProgress",
    "15-15 materialized",
    "20-29 waiting",
  ]);
});

test("a job's row has no name, and one without partitions one position", () => {
  expect(stretchesOf({ ...ROW, assetKey: null }).name).toBe("");
  expect(stretchesOf({ assetKey: { path: ["b"] }, isPartitioned: false, positions: { ...NOTHING, skipped: "0" } })).toMatchObject({ from: 0, to: 1 });
  expect(stretchesOf({ ...ROW, positions: NOTHING })).toMatchObject({ from: 0, to: 0, stretches: [] });
});

test("each position has the outcome of its stretch", () => {
  const { stretches } = stretchesOf(ROW);
  expect([9, 10, 12, 13, 14, 16, 20, 29, 30].map((position) => outcomeAt(stretches, position))).toEqual([
    undefined,
    "materialized",
    "materialized",
    "failed",
    "inProgress",
    undefined,
    "waiting",
    "waiting",
    undefined,
  ]);
});

test("positions are listed by outcome, up to a number", () => {
  const { stretches } = stretchesOf(ROW);
  expect(positionsOf(stretches, "materialized", 10)).toEqual([10, 11, 12, 15]);
  expect(positionsOf(stretches, "", 4)).toEqual([10, 11, 12, 13]);
  expect(positionsOf(stretches, "canceled", 4)).toEqual([]);
});

test("every outcome is drawn, failures last", () => {
  expect([...DRAWN].sort()).toEqual(OUTCOMES.map(({ name }) => name).sort());
  expect(DRAWN.at(-1)).toBe("failed");
});
