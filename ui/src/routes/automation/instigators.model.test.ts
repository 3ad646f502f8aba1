import { describe, expect, it } from "vitest";

import { asked, many, type Row, rowsOf, standings } from "./instigators.model";

const NOW = 1_000;
const OVERRIDE = {
  pausedUntil: null as number | null,
  cronSchedule: [] as string[],
  cronDescription: null as string | null,
  executionTimezone: null as string | null,
  dstGap: null as string | null,
  dstFold: null as string | null,
  intervalSeconds: null as number | null,
  runConfigYaml: null,
  hasRunConfig: false,
  tags: [],
  actor: null,
  reason: null,
  timestamp: 0,
};

function state(rest: Partial<Row["state"]> = {}, ...statuses: Row["state"]["ticks"][number]["status"][]): Row["state"] {
  return {
    id: "id",
    status: "RUNNING",
    declaredInCode: true,
    cursor: null,
    lastRunKey: null,
    lastTickTime: null,
    nextTick: null,
    heldBack: null,
    override: null,
    ticks: statuses.map((status, index) => ({ tickId: String(index), status, timestamp: 0 })),
    ...rest,
  };
}

const schedule = (scheduleState = state()) => ({
  name: "nightly",
  description: "Loads all.",
  cronSchedule: "0 5 * * *",
  cronDescription: "At 05:00",
  executionTimezone: "UTC",
  pipelineName: "load",
  scheduleState,
});
const sensor = (onEvents: boolean, minIntervalSeconds: number, sensorState = state()) => ({
  name: "files",
  description: null,
  sensorType: "RUN_STATUS" as const,
  minIntervalSeconds,
  onEvents,
  targets: [{ pipelineName: "clean" }],
  sensorState,
});
const rows = (schedules: ReturnType<typeof schedule>[], sensors: ReturnType<typeof sensor>[] = []) =>
  rowsOf({ location: { name: "shop" }, schedules, sensors });

describe("when it is evaluated", () => {
  const when = (...made: Row[]) => made.map((row) => row.when);

  it("is what the override says, else the code", () => {
    const overridden = state({ override: { ...OVERRIDE, cronSchedule: ["0 4 * * *"], cronDescription: "At 04:00", executionTimezone: "Europe/Berlin" } });
    expect(when(...rows([schedule(), schedule(overridden)]))).toEqual(["At 05:00", "At 04:00"]);
    expect(rows([schedule(overridden)])[0]!.zone).toBe("Europe/Berlin");
    expect(when(...rows([], [sensor(false, 30, state({ override: { ...OVERRIDE, intervalSeconds: 60 } }))]))).toEqual(["Every 1 min"]);
  });

  it("is told of a sensor that waits for events as that, and not as an interval of nothing", () => {
    expect(when(...rows([], [sensor(true, 0), sensor(true, 10), sensor(false, 10)]))).toEqual([
      "When something happens",
      "When something happens, at most every 10 s",
      "Every 10 s",
    ]);
  });
});

describe("what is asked for", () => {
  const all = rows(
    [schedule(state({}, "STARTED", "FAILURE", "SUCCESS")), schedule(state({ status: "STOPPED" }, "FAILURE"))],
    [
      sensor(true, 0, state({ override: { ...OVERRIDE, pausedUntil: NOW + 1 } }, "SUCCESS", "FAILURE")),
      sensor(true, 0, state({ override: { ...OVERRIDE, pausedUntil: NOW - 1 } })),
    ],
  );
  const places = (question: Parameters<typeof asked>[1]) => asked(all, question, NOW).map((row) => all.indexOf(row));

  it("is a standing: what fails failed last, whatever is at work; what is off does not", () => {
    expect(places({ show: "failing" })).toEqual([0]);
    expect(places({ show: "off" })).toEqual([1]);
    expect(places({ show: "paused" })).toEqual([2]);
    expect(places({ show: "overridden" })).toEqual([2, 3]);
  });

  it("is a location and words, each of which must be there; what is not known asks for nothing", () => {
    expect(places({ location: "elsewhere" })).toEqual([]);
    expect(places({ q: "LOADS night" })).toEqual([0, 1]);
    expect(places({ q: "runs", location: "shop", show: "on" })).toEqual([2, 3]);
    expect(places({ show: "toString" })).toEqual([0, 1, 2, 3]);
  });

  it("is counted, without what there is none of", () => {
    expect(standings(all, NOW).map(({ label }) => label)).toEqual(["On (3)", "Off (1)", "Failing (1)", "Paused (1)", "Overridden (2)"]);
    expect(standings(rows([schedule()]), NOW).map(({ value }) => value)).toEqual(["on"]);
  });
});

it("counts them by what they are", () => {
  expect(many([{ kind: "schedule" }])).toBe("1 schedule");
  expect(many([{ kind: "sensor" }, { kind: "sensor" }])).toBe("2 sensors");
  expect(many([{ kind: "sensor" }, { kind: "schedule" }])).toBe("2 schedules and sensors");
});
