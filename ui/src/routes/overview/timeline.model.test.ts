import { describe, expect, it } from "vitest";

import { fittingSpan, layTimeline, timeMarks, type TimelineRun } from "./timeline.model";

const run = (runId: string, given: Partial<TimelineRun>): TimelineRun => ({
  runId,
  status: "SUCCESS",
  row: "job",
  creationTime: 0,
  startTime: null,
  endTime: null,
  ...given,
});

const window = { ticks: [], from: 100, to: 300, now: 200, gap: 5 };

describe("layTimeline", () => {
  it("cuts bars at the window, and lets what runs end now", () => {
    const rows = layTimeline({
      ...window,
      runs: [run("a", { startTime: 50, endTime: 120 }), run("b", { startTime: 150, status: "STARTED" }), run("c", { startTime: 10, endTime: 90 })],
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]!.bars.map((bar) => [bar.runIds, bar.from, bar.to])).toEqual([
      [["a"], 100, 120],
      [["b"], 150, 200],
    ]);
  });

  it("lumps runs that begin too close together, and shows the worst of them", () => {
    const rows = layTimeline({
      ...window,
      runs: [
        run("a", { startTime: 110, endTime: 112 }),
        run("b", { startTime: 112, endTime: 113, status: "FAILURE" }),
        run("c", { startTime: 114, endTime: 190 }),
        run("d", { startTime: 116, endTime: 118 }),
      ],
    });
    expect(rows[0]!.bars.map((bar) => [bar.runIds.join(""), bar.status, bar.to])).toEqual([
      ["abc", "FAILURE", 190],
      ["d", "SUCCESS", 118],
    ]);
    expect([rows[0]!.failed, rows[0]!.count]).toEqual([1, 4]);
  });

  it("shows ticks to come, also of jobs that have not run, below those that have", () => {
    const rows = layTimeline({
      ...window,
      runs: [run("a", { startTime: 110, endTime: 112 })],
      ticks: [
        { row: "later", at: 250 },
        { row: "later", at: 150 },
        { row: "later", at: 900 },
      ],
    });
    expect(rows.map((row) => [row.row, row.ticks])).toEqual([
      ["job", []],
      ["later", [250]],
    ]);
  });
});

describe("fittingSpan", () => {
  const [hour, quarter, day, week] = [3600, 21_600, 86_400, 604_800].map((seconds) => ({ seconds }));
  const fitting = (...ages: number[]) =>
    fittingSpan([hour!, quarter!, day!, week!], day!, ages.map((age) => ({ creationTime: 1_000_000 - age })), 1_000_000);

  it("is the shortest that holds every run, and never more than the usual", () => {
    expect(fitting(60, 3000)).toBe(hour);
    expect(fitting(60, 4000)).toBe(quarter);
    expect(fitting(60, 80_000)).toBe(day);
    expect(fitting(200_000)).toBe(day);
    expect(fitting()).toBe(day);
  });
});

describe("timeMarks", () => {
  it("stand at round times of the reader's clock", () => {
    expect(timeMarks(3600 * 1.2, 3600 * 4, 6, 0)).toEqual([5400, 7200, 9000, 10_800, 12_600, 14_400]);
    const kolkata = 5.5 * 3600;
    for (const mark of timeMarks(0, 86_400, 8, kolkata)) expect((mark + kolkata) % 10_800).toBe(0);
  });

  it("are never more than asked for, give or take one", () => {
    for (const hours of [0.25, 1, 6, 24, 72, 168, 720]) {
      expect(timeMarks(12_345, 12_345 + hours * 3600, 8, 3600).length).toBeLessThanOrEqual(9);
    }
  });
});
