import { describe, expect, it } from "vitest";

import { axisMarks, fanOut, type GanttInput, layGantt, type StepTimes } from "./gantt.model";

const done = (stepKey: string, startTime: number, endTime: number): StepTimes => ({
  stepKey,
  status: "SUCCESS",
  workerStartTime: null,
  startTime,
  endTime,
  attempts: [{ startTime, endTime, figures: null }],
});

const input = (given: Partial<GanttInput>): GanttInput => ({
  plan: [],
  times: [],
  runStart: 100,
  runEnd: null,
  now: 200,
  unfolded: new Set(),
  ...given,
});

const plan = (...keys: string[]) => keys.map((key) => ({ key, upstream: [] }));

describe("layGantt", () => {
  it("orders steps by their begin, those to come last and in the plan's order", () => {
    const gantt = layGantt(input({ plan: plan("d", "c", "b", "a"), times: [done("a", 110, 120), done("b", 105, 110)] }));
    expect(gantt.rows.map((row) => [row.key, row.state])).toEqual([
      ["b", "SUCCESS"],
      ["a", "SUCCESS"],
      ["d", "WAITING"],
      ["c", "WAITING"],
    ]);
    expect([gantt.from, gantt.to]).toEqual([100, 200]);
    expect(gantt.counts.WAITING).toBe(2);
  });

  it("says of steps that never began in an ended run that they were skipped, of cut ones that they were canceled", () => {
    const running: StepTimes = { ...done("a", 110, 0), status: "IN_PROGRESS", endTime: null, attempts: [{ startTime: 110, endTime: null, figures: null }] };
    const gantt = layGantt(input({ plan: plan("a", "b"), times: [running], runEnd: 150 }));
    expect(gantt.rows.map((row) => [row.key, row.state, row.end])).toEqual([
      ["a", "CANCELED", 150],
      ["b", "SKIPPED", null],
    ]);
  });

  it("lays the phases of an attempt over its bar, and its wait for a place before it", () => {
    const figures = { queued: 4, starting: 2, loading: 1, computing: 6, storing: 1, cpu: 5, peakMemory: 1, shared: false };
    const times: StepTimes = { ...done("a", 110, 118), attempts: [{ startTime: 110, endTime: 118, figures }] };
    const [row] = layGantt(input({ plan: plan("a"), times: [times], runEnd: 120 })).rows;
    expect(row!.segments).toEqual([
      { kind: "queued", from: 104, to: 108 },
      { kind: "preparing", from: 108, to: 110 },
      {
        kind: "attempt",
        from: 110,
        to: 118,
        figures,
        parts: [
          { phase: "loading", share: 0.125 },
          { phase: "computing", share: 0.75 },
          { phase: "storing", share: 0.125 },
        ],
      },
    ]);
  });

  it("gives an attempt that was killed no phases", () => {
    const figures = { queued: 0, starting: null, loading: null, computing: null, storing: null, cpu: 5, peakMemory: 1, shared: false };
    const times: StepTimes = { ...done("a", 110, 118), status: "FAILURE", attempts: [{ startTime: 110, endTime: 118, figures }] };
    const [row] = layGantt(input({ plan: plan("a"), times: [times], runEnd: 120 })).rows;
    expect(row!.segments).toEqual([{ kind: "failed", from: 110, to: 118, figures, parts: [] }]);
  });

  it("shows preparation, failed attempts, pauses and the attempt at work", () => {
    const times: StepTimes = {
      stepKey: "a",
      status: "IN_PROGRESS",
      workerStartTime: 101,
      startTime: 103,
      endTime: null,
      attempts: [
        { startTime: 103, endTime: 110, figures: null },
        { startTime: 130, endTime: null, figures: null },
      ],
    };
    const [row] = layGantt(input({ plan: plan("a"), times: [times] })).rows;
    expect(row!.state).toBe("IN_PROGRESS");
    expect(row!.segments).toEqual([
      { kind: "preparing", from: 101, to: 103 },
      { kind: "failed", from: 103, to: 110 },
      { kind: "pause", from: 110, to: 130 },
      { kind: "attempt", from: 130, to: 200 },
    ]);
    const waiting = layGantt(input({ plan: plan("a"), times: [{ ...times, attempts: [times.attempts[0]!] }] })).rows[0]!;
    expect(waiting.state).toBe("RETRYING");
    expect(waiting.segments.at(-1)).toEqual({ kind: "pause", from: 110, to: 200 });
  });

  it("folds a fan-out into one row that tells of its worst step, and unfolds it", () => {
    const times = [0, 1, 2, 3].map((index) => done(`work[${index}]`, 110 + index * 5, 120 + index * 5));
    times[2] = { ...times[2]!, status: "FAILURE" };
    const given = input({ plan: plan("work[?]"), times });
    const folded = layGantt(given).rows;
    expect(folded).toHaveLength(1);
    expect(folded[0]).toMatchObject({ key: "work", label: "work ×4", state: "FAILURE", start: 110, end: 135 });
    const unfolded = layGantt({ ...given, unfolded: new Set(["work"]) }).rows;
    expect(unfolded.map((row) => row.depth)).toEqual([0, 1, 1, 1, 1]);
  });

  it("never ends before it begins", () => {
    const gantt = layGantt(input({ runStart: null, now: 50, plan: plan("a") }));
    expect(gantt.to).toBeGreaterThan(gantt.from);
  });
});

describe("fanOut", () => {
  it.each([
    ["work[7]", "work"],
    ["work", null],
    ["outer.work[a_b]", "outer.work"],
  ])("of %s is %s", (key, expected) => expect(fanOut(key)).toBe(expected));
});

describe("axisMarks", () => {
  it.each([
    [10, 6, [0, 2, 4, 6, 8, 10]],
    [95, 5, [0, 30, 60, 90]],
    [0.0042, 5, [0, 0.001, 0.002, 0.003, 0.004]],
  ])("of %d s with at most %d steps", (seconds, most, expected) => {
    expect(axisMarks(seconds, most)).toEqual(expected);
  });

  it("never gives more than asked for", () => {
    for (let size = -3; size < 9; size++) expect(axisMarks(3.7 * 10 ** size, 8).length).toBeLessThanOrEqual(9);
  });
});
