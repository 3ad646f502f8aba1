/** Words and looks of ticks. Pure. */
import { errorStory, type ExceptionTree, headline } from "../kit/error.model";
import { durationText } from "../services/time.model";

/** What came of a tick. */
export function tickWord(status: string): string {
  return { STARTED: "evaluating", SKIPPED: "skipped", SUCCESS: "requested runs", FAILURE: "failed" }[status] ?? status;
}

/** The status word that the kit knows, for a tick's mark. */
export function tickStatus(status: string): string {
  return status === "STARTED" ? "IN_PROGRESS" : status;
}

interface Tick {
  readonly status: string;
  readonly skipReason: string | null;
  readonly timestamp: number;
  readonly runKeys: readonly string[];
  readonly error: ExceptionTree | null;
}

/** What it said: why it failed or skipped, or the keys of the runs that it asked for. */
export function tickWords(tick: Pick<Tick, "error" | "skipReason" | "runKeys">): string {
  return tick.error === null ? (tick.skipReason ?? tick.runKeys.join(", ")) : headline(errorStory(tick.error).cause);
}

export interface TickRow<T> {
  /** The tick, or the newest of those that came to the same. */
  readonly tick: T;
  /** How many it stands for. */
  readonly count: number;
  /** Seconds since the epoch of the oldest. */
  readonly since: number;
}

/** Fewer of the same in a row than this stand for themselves. */
const LEAST = 3;

/** Ticks, newest first, as rows: skips for one reason in a row are one of them, and so are failures with one error. */
export function foldSame<T extends Tick>(ticks: readonly T[]): TickRow<T>[] {
  const rows: TickRow<T>[] = [];
  for (let from = 0; from < ticks.length; ) {
    const tick = ticks[from]!;
    let to = from + 1;
    while (to < ticks.length && isSame(tick, ticks[to]!)) to += 1;
    if (to - from >= LEAST) rows.push({ tick, count: to - from, since: ticks[to - 1]!.timestamp });
    else for (const each of ticks.slice(from, to)) rows.push({ tick: each, count: 1, since: each.timestamp });
    from = to;
  }
  return rows;
}

function isSame(one: Tick, other: Tick): boolean {
  return (one.status === "SKIPPED" || one.status === "FAILURE") && one.status === other.status && tickWords(one) === tickWords(other);
}

/** When a sensor is evaluated: "every 30 s", "when something happens, at most every 30 s". */
export function rhythmText({ onEvents }: { readonly onEvents: boolean }, intervalSeconds: number): string {
  if (!onEvents) return intervalText(intervalSeconds);
  return intervalSeconds === 0 ? "when something happens" : `when something happens, at most ${intervalText(intervalSeconds)}`;
}

/** "every 30 s", "every 5 min". */
export function intervalText(seconds: number): string {
  if (seconds < 60 || seconds % 60 !== 0) return `every ${seconds} s`;
  const minutes = seconds / 60;
  return minutes % 60 === 0 ? `every ${minutes / 60} h` : `every ${minutes} min`;
}

/** What kind of sensor it is, in words. */
export function sensorKind(type: string): string {
  return SENSOR_KINDS[type] ?? type.toLowerCase().replaceAll("_", " ");
}

const SENSOR_KINDS: Record<string, string> = {
  STANDARD: "sensor",
  RUN_STATUS: "sensor on runs",
  ASSET: "sensor on asset",
  MULTI_ASSET: "sensor on assets",
  WEBHOOK: "webhook",
  AUTO_MATERIALIZE: "conditions",
  AUTOMATION: "conditions",
};

/** "120 ms as a rule, 1.2 s at worst in a hundred, of the last 100 ticks". */
export function latenessText(lateness: { readonly ticks: number; readonly p50: number; readonly p99: number }): string {
  return `${durationText(lateness.p50)} as a rule, ${durationText(lateness.p99)} at worst in a hundred, of the last ${lateness.ticks === 1 ? "tick" : `${lateness.ticks} ticks`}`;
}

/** What clocks do at a coming tick. */
export function clockText(change: "GAP" | "FOLD" | null): string {
  if (change === null) return "";
  return change === "GAP" ? "clocks are set forward: the first instant after the gap" : "clocks are set back: this wall time comes twice";
}

/** What a schedule does where clocks are changed, when that is not the usual. */
export function changeText(gap: string, fold: string): string {
  const skipped = gap === "skip" ? "a time that is skipped is left out" : "a time that is skipped runs right after the gap";
  const repeated = { first: "one that is repeated runs the first time", second: "one that is repeated runs the second time", both: "one that is repeated runs both times" }[fold];
  return `${skipped}, ${repeated ?? fold}`;
}
