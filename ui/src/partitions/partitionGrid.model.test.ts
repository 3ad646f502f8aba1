import { describe, expect, test } from "vitest";

import {
  boxAt,
  boxOf,
  cellText,
  countCells,
  type Dimension,
  endsOf,
  indexUnder,
  indicesAt,
  isInside,
  keyAt,
  keysOf,
  positionOf,
  sharesOf,
  sizeOf,
  spanned,
  stridesOf,
} from "./partitionGrid.model";

const DATE: Dimension = { name: "date", keys: ["d1", "d2", "d3"], isPrimary: true };
const REGION: Dimension = { name: "region", keys: ["n", "s"], isPrimary: false };
const ALPHA: Dimension = { name: "alpha", keys: ["x", "y"], isPrimary: false };
const TWO = [DATE, REGION];
/** By name: alpha, date, region; positions count date first, then alpha, then region. */
const THREE = [ALPHA, DATE, REGION];
const ALL = new Map<number, number>();

describe("positions", () => {
  test("the primary dimension has the largest steps, the others follow by name", () => {
    expect(stridesOf(TWO)).toEqual([2, 1]);
    expect(stridesOf(THREE)).toEqual([2, 4, 1]);
    expect(stridesOf([DATE])).toEqual([1]);
  });

  test("a key has the position that has the key", () => {
    for (const dimensions of [[DATE], TWO, THREE]) {
      keysOf(dimensions, boxOf(dimensions, ALL)).forEach((key, position) => {
        expect(positionOf(dimensions, key)).toBe(position);
        expect(keyAt(dimensions, indicesAt(dimensions, position))).toBe(key);
        expect(keysOf(dimensions, boxAt(dimensions, position))).toEqual([key]);
      });
    }
    expect(positionOf(TWO, "d1")).toBe(-1);
    expect(positionOf(TWO, "d4|n")).toBe(-1);
    expect(positionOf([DATE], "d4")).toBe(-1);
    expect(positionOf([{ ...DATE, keys: ["a|b"] }], "a|b")).toBe(0);
  });

  test("a box holds its own positions alone", () => {
    const box = [[0, 1], [1, 2], [1, 1]] as const;
    const inside = Array.from({ length: 12 }, (_, position) => position).filter((position) => isInside(THREE, box, position));
    expect(inside.map((position) => keyAt(THREE, indicesAt(THREE, position)))).toEqual(keysOf(THREE, box));
    expect(endsOf(THREE, box)).toEqual(["x|d2|s", "y|d3|s"]);
  });

  test("keys are joined by name, and listed by position", () => {
    expect(keyAt(THREE, [1, 0, 1])).toBe("y|d1|s");
    expect(keysOf(TWO, boxOf(TWO, ALL))).toEqual(["d1|n", "d1|s", "d2|n", "d2|s", "d3|n", "d3|s"]);
    expect(keysOf(THREE, boxOf(THREE, new Map([[1, 2]])))).toEqual(["x|d3|n", "x|d3|s", "y|d3|n", "y|d3|s"]);
  });
});

describe("cells", () => {
  test("each partition of two dimensions is a cell", () => {
    const cells = countCells(TWO, [{ startIndex: 1, endIndex: 3, status: "MATERIALIZED" }, { startIndex: 5, endIndex: 5, status: "FAILED" }], 1, 0, boxOf(TWO, ALL));
    expect([cells.rows, cells.columns, cells.of]).toEqual([2, 3, 1]);
    expect([...cells.materialized]).toEqual([0, 1, 0, 1, 1, 0]);
    expect([...cells.failed]).toEqual([0, 0, 0, 0, 0, 1]);
    expect(cellText(cells, 0, 0)).toBe("missing");
    expect(cellText(cells, 1, 2)).toBe("failed");
  });

  test("a third dimension is counted within the cells, or narrowed to one key", () => {
    const ranges = [{ startIndex: 0, endIndex: 5, status: "MATERIALIZED" as const }];
    const whole = countCells(THREE, ranges, 2, 1, boxOf(THREE, ALL));
    expect([whole.rows, whole.columns, whole.of]).toEqual([2, 3, 2]);
    expect([...whole.materialized]).toEqual([2, 1, 0, 2, 1, 0]);
    expect(cellText(whole, 0, 1)).toBe("1 materialized, 1 missing");
    const narrowed = countCells(THREE, ranges, 2, 1, boxOf(THREE, new Map([[0, 1]])));
    expect(narrowed.of).toBe(1);
    expect([...narrowed.materialized]).toEqual([1, 0, 0, 1, 0, 0]);
  });

  test("neighbours that share a pixel are told by their shares", () => {
    const cells = countCells(TWO, [{ startIndex: 0, endIndex: 2, status: "MATERIALIZED" }, { startIndex: 4, endIndex: 4, status: "FAILED" }], 1, 0, boxOf(TWO, ALL));
    expect(sharesOf(cells, 0, 0, 3)).toEqual({ failed: 1 / 3, materializing: 0, materialized: 2 / 3 });
    expect(sharesOf(cells, 1, 0, 2)).toEqual({ failed: 0, materializing: 0, materialized: 1 / 2 });
  });

  test("the counts of all cells come to the ranges, whatever is shown", () => {
    const ranges = [{ startIndex: 2, endIndex: 9, status: "MATERIALIZED" as const }];
    for (const [row, column] of [[0, 1], [1, 0], [2, 0], [0, 2], [2, 1], [1, 2]] as const) {
      const cells = countCells(THREE, ranges, row, column, boxOf(THREE, ALL));
      expect(cells.materialized.reduce((sum, count) => sum + count, 0)).toBe(8);
    }
  });
});

test("a box spans the cells between two, in either direction", () => {
  const box = boxOf(THREE, new Map([[0, 1]]));
  expect(spanned(box, 2, 1, [1, 2], [0, 1])).toEqual([[1, 1], [1, 2], [0, 1]]);
  expect(sizeOf(spanned(box, 2, 1, [1, 2], [0, 1]))).toBe(4);
});

test("a pixel beyond the end is of the last index", () => {
  expect(indexUnder(0, 3, 90)).toBe(0);
  expect(indexUnder(59.9, 3, 90)).toBe(1);
  expect(indexUnder(95, 3, 90)).toBe(2);
  expect(indexUnder(-4, 3, 90)).toBe(0);
});
