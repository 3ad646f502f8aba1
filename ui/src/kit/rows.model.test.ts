import { describe, expect, it } from "vitest";

import { offsetsOf, rowAt, visibleRows } from "./rows.model";

const offsets = offsetsOf([20, 20, 60, 20]);

describe("rowAt", () => {
  it.each([
    [0, 0],
    [19, 0],
    [20, 1],
    [99, 2],
    [100, 3],
    [5000, 3],
    [-5, 0],
  ])("height %d is in row %d", (y, row) => expect(rowAt(offsets, y)).toBe(row));
});

describe("visibleRows", () => {
  it("covers the window, and a few rows beyond", () => {
    expect(visibleRows(offsets, 45, 10, 0)).toEqual([2, 3]);
    expect(visibleRows(offsets, 45, 10, 1)).toEqual([1, 4]);
    expect(visibleRows(offsetsOf([]), 0, 100, 5)).toEqual([0, 0]);
  });
});
