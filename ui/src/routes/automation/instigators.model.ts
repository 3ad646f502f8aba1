/** Schedules and sensors as rows of one table, and which of them a reader asks for. Pure. */
import { isPaused } from "../../automation/override.model";
import { rhythmText, sensorKind } from "../../automation/ticks.model";
import type { AutomationKind } from "../../services/automation";
import type { AutomationListQuery } from "../../services/schema.gen";

type Node = Extract<
  AutomationListQuery["repositoriesOrError"],
  { __typename: "RepositoryConnection" }
>["nodes"][number];
export type State = Node["schedules"][number]["scheduleState"];

export interface Row {
  kind: AutomationKind;
  /** The kind in words, of a sensor also what it looks at. */
  sort: string;
  location: string;
  name: string;
  description: string | null;
  when: string;
  zone: string | null;
  jobs: readonly string[];
  /** Evaluated when something happens, and not only after some time. */
  onEvents: boolean;
  state: State;
}

export function rowsOf({ location: { name: location }, schedules, sensors }: Node): Row[] {
  return [
    ...schedules.map((schedule): Row => ({
      kind: "schedule",
      sort: "Schedule",
      location,
      name: schedule.name,
      description: schedule.description,
      when: schedule.scheduleState.override?.cronDescription ?? schedule.cronDescription,
      zone: schedule.scheduleState.override?.executionTimezone ?? schedule.executionTimezone,
      jobs: [schedule.pipelineName],
      onEvents: false,
      state: schedule.scheduleState,
    })),
    ...sensors.map((sensor): Row => ({
      kind: "sensor",
      sort: capitalized(sensorKind(sensor.sensorType)),
      location,
      name: sensor.name,
      description: sensor.description,
      when: capitalized(rhythmText(sensor, sensor.sensorState.override?.intervalSeconds ?? sensor.minIntervalSeconds)),
      zone: null,
      jobs: sensor.targets.map((target) => target.pipelineName),
      onEvents: sensor.onEvents,
      state: sensor.sensorState,
    })),
  ];
}

const capitalized = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

export const keyOf = ({ kind, location, name }: Pick<Row, "kind" | "location" | "name">) => `${kind} ${location}/${name}`;

/** What a reader may ask for, and who answers it. */
const STANDINGS = {
  on: ({ state }: Row) => state.status === "RUNNING",
  off: ({ state }: Row) => state.status !== "RUNNING",
  failing: ({ state }: Row) => state.status === "RUNNING" && state.ticks.find(({ status }) => status !== "STARTED")?.status === "FAILURE",
  paused: ({ state }: Row, now: number) => isPaused(state.override, now),
  overridden: ({ state }: Row) => state.override !== null,
} as const;

export type Standing = keyof typeof STANDINGS;

const LABELS: Record<Standing, string> = { on: "On", off: "Off", failing: "Failing", paused: "Paused", overridden: "Overridden" };

export interface Asked {
  readonly q?: string | undefined;
  readonly show?: string | undefined;
  readonly location?: string | undefined;
}

/** Those that fit all that is asked for. `now` is in seconds since the epoch. */
export function asked(rows: readonly Row[], { q = "", show, location }: Asked, now: number): Row[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = show === undefined || !Object.hasOwn(STANDINGS, show) ? () => true : STANDINGS[show as Standing];
  return rows.filter((row) => {
    if (location && row.location !== location) return false;
    const text = [row.name, row.description ?? "", row.sort, ...row.jobs].join("\n").toLowerCase();
    return words.every((word) => text.includes(word)) && fits(row, now);
  });
}

/** What may be asked for, each with how many there are; those that nobody answers are left out. */
export function standings(rows: readonly Row[], now: number): { value: string; label: string }[] {
  return (Object.keys(STANDINGS) as Standing[]).flatMap((standing) => {
    const count = rows.filter((row) => STANDINGS[standing](row, now)).length;
    return count === 0 ? [] : [{ value: standing, label: `${LABELS[standing]} (${count})` }];
  });
}

/** "1 schedule", "3 sensors", "4 schedules and sensors". */
export function many(rows: readonly Pick<Row, "kind">[]): string {
  const kinds = new Set(rows.map(({ kind }) => kind));
  const word = kinds.size === 1 ? [...kinds][0]! : "schedules and sensors";
  return `${rows.length} ${word}${kinds.size === 1 && rows.length !== 1 ? "s" : ""}`;
}
