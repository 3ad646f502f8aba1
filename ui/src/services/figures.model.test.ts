import { describe, expect, it } from "vitest";

import { aboutFigure, FIGURES, figuresText, type Figures } from "./figures.model";

const told: Figures = {
  queued: 0,
  starting: 0.031,
  loading: 0.0002,
  computing: 12.4,
  storing: 1.25,
  cpu: 11.9,
  peakMemory: 84_300_000,
  shared: false,
};

describe("figuresText", () => {
  it("names all figures in human units", () => {
    expect(figuresText(told)).toBe(
      "Queue 0 ms, start 31 ms, load < 1 ms, compute 12 s, store 1.3 s, CPU 12 s, peak memory 84.3 MB",
    );
  });

  it("leaves out what a killed process could not tell", () => {
    const killed = { ...told, starting: null, loading: null, computing: null, storing: null };
    expect(figuresText(killed)).toBe("Queue 0 ms, CPU 12 s, peak memory 84.3 MB");
  });
});

describe("a figure", () => {
  it("is a dash where it is not known", () => {
    expect(FIGURES.map(({ text }) => text({ ...told, queued: null, peakMemory: null }))).toEqual([
      "–", "31 ms", "< 1 ms", "12 s", "1.3 s", "12 s", "–",
    ]);
  });

  it("says when it is of a process that runs other steps too", () => {
    const memory = FIGURES.find(({ id }) => id === "peakMemory")!;
    const computing = FIGURES.find(({ id }) => id === "computing")!;
    expect(aboutFigure(memory, told)).not.toContain("other steps");
    expect(aboutFigure(memory, { ...told, shared: true })).toContain("other steps");
    expect(aboutFigure(computing, { ...told, shared: true })).toBe(aboutFigure(computing, told));
  });
});
