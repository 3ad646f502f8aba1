import { describe, expect, it } from "vitest";
import { adjacency } from "./layers.model";
import { indexNodes } from "./pick.model";
import { begin, centre, fit, MAX_SCALE, pan, reveal, toWorld, visible, zoomAt } from "./viewport.model";
import { reach, walk } from "./walk.model";

const SCREEN = { width: 800, height: 600 };

describe("viewport", () => {
  it("fits a large world and never enlarges a small one", () => {
    expect(fit({ width: 7360, height: 100 }, SCREEN).scale).toBeCloseTo(0.1);
    expect(fit({ width: 100, height: 100 }, SCREEN)).toEqual({ scale: 1, x: 350, y: 250 });
  });

  it("begins with the whole, or with the head of a huge world", () => {
    const head = { x: 0, y: 45_000 };
    expect(begin({ width: 100, height: 100 }, SCREEN, head)).toEqual(fit({ width: 100, height: 100 }, SCREEN));
    const view = begin({ width: 1000, height: 90_000 }, SCREEN, head);
    expect(toWorld(view, 32, 200)).toEqual(head);
  });

  it("zooms around the pointer, up to a bound", () => {
    const view = zoomAt({ scale: 1, x: 10, y: 20 }, 1.5, 300, 200);
    expect(toWorld(view, 300, 200)).toEqual(toWorld({ scale: 1, x: 10, y: 20 }, 300, 200));
    expect(zoomAt(view, 100, 0, 0).scale).toBe(MAX_SCALE);
  });

  it("shows what it says it shows", () => {
    expect(visible({ scale: 0.5, x: -100, y: -50 }, SCREEN)).toEqual({ x: 200, y: 100, width: 1600, height: 1200 });
  });

  it("moves only when the box is hidden", () => {
    const view = { scale: 1, x: 0, y: 0 };
    expect(reveal(view, { x: 100, y: 100, width: 50, height: 50 }, SCREEN)).toBe(view);
    expect(reveal(view, { x: 900, y: -10, width: 50, height: 50 }, SCREEN, 20)).toEqual(pan(view, -170, 30));
  });

  it("centres a box at a readable scale", () => {
    const view = centre({ scale: 0.1, x: 0, y: 0 }, { x: 1000, y: 1000, width: 100, height: 100 }, SCREEN);
    expect(toWorld(view, 400, 300)).toEqual({ x: 1050, y: 1050 });
    expect(view.scale).toBe(0.8);
  });
});

describe("indexNodes", () => {
  const index = indexNodes([0, 300, 5000], [0, 0, 4000], 200, 60);

  it("finds the node under a point, and none beside", () => {
    expect(index.at(199, 59)).toBe(0);
    expect(index.at(250, 30)).toBe(-1);
    expect(index.at(5100, 4010)).toBe(2);
  });

  it("finds all in a box, however large", () => {
    expect(index.within({ x: 100, y: 0, width: 300, height: 10 })).toEqual([0, 1]);
    expect(index.within({ x: -1e6, y: -1e6, width: 2e6, height: 2e6 })).toEqual([0, 1, 2]);
  });
});

describe("walk", () => {
  const near = adjacency(5, [
    [0, 2],
    [1, 2],
    [2, 3],
    [2, 4],
  ]);
  const places = { x: [0, 0, 100, 200, 200], y: [0, 50, 20, 0, 90] };

  it("follows edges sideways and columns up and down", () => {
    expect(walk(2, "right", near, places)).toBe(3);
    expect(walk(2, "left", near, places)).toBe(0);
    expect(walk(0, "down", near, places)).toBe(1);
    expect(walk(0, "up", near, places)).toBe(0);
    expect(walk(4, "right", near, places)).toBe(4);
  });

  it("reaches upstream and downstream, to a depth", () => {
    expect([...reach([3], "upstream", near)].toSorted()).toEqual([0, 1, 2, 3]);
    expect([...reach([0], "downstream", near, 1)]).toEqual([0, 2]);
  });
});
