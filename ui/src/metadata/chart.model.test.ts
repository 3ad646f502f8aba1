import { describe, expect, it } from "vitest";

import { nearestPoint, placePoints } from "./chart.model";

const BOX = { width: 200, height: 100, left: 0, right: 0, top: 0, bottom: 0 };
const at = (...pairs: [number, number][]) => pairs.map(([time, value]) => ({ at: time, value, partition: null }));

describe("placePoints", () => {
  it("places by time, or evenly", () => {
    const series = at([0, 0], [10, 50], [40, 100]);
    expect(placePoints(series, BOX, "time").points.map((point) => point.x)).toEqual([0, 50, 200]);
    expect(placePoints(series, BOX, "order").points.map((point) => point.x)).toEqual([0, 100, 200]);
    expect(placePoints(series, BOX, "time").points.map((point) => point.y)).toEqual([100, 50, 0]);
  });

  it("puts a lone point in the middle and draws nothing for none", () => {
    expect(placePoints(at([5, 7]), BOX, "time").points[0]?.x).toBe(100);
    expect(placePoints([], BOX, "time").path).toBe("");
  });
});

describe("nearestPoint", () => {
  it("finds the nearest across", () => {
    const chart = placePoints(at([0, 0], [10, 1], [20, 2]), BOX, "time");
    expect([-10, 60, 199].map((px) => nearestPoint(chart, px))).toEqual([0, 1, 2]);
    expect(nearestPoint(placePoints([], BOX, "time"), 3)).toBe(-1);
  });
});
