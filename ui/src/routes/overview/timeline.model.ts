/** Lays runs out in time: one row a job, bars for runs, lumps where runs are too close, ticks to come. Pure. */
import type { RunStatus } from "../../services/schema.gen";

export interface TimelineRun {
  runId: string;
  status: RunStatus;
  /** The row it belongs to. */
  row: string;
  creationTime: number;
  startTime: number | null;
  endTime: number | null;
}

export interface Bar {
  /** One id: a run; several: a lump of runs too close to tell apart. */
  runIds: string[];
  status: RunStatus;
  from: number;
  to: number;
}

export interface TimelineRow {
  row: string;
  bars: Bar[];
  /** Instants at which a schedule is due. */
  ticks: number[];
  latest: number;
  failed: number;
  count: number;
}

export interface TimelineInput {
  runs: readonly TimelineRun[];
  ticks: readonly { row: string; at: number }[];
  from: number;
  to: number;
  now: number;
  /** How close, in seconds, two runs may stand before they become one lump. */
  gap: number;
}

/**
 * The shortest span that holds every run, at most the usual one; the usual one when nothing ran. A page of minutes of
 * work is not shown as a day with a stroke at its end.
 */
export function fittingSpan<Span extends { seconds: number }>(
  spans: readonly Span[],
  usual: Span,
  runs: readonly { creationTime: number }[],
  now: number,
): Span {
  if (runs.length === 0) return usual;
  const oldest = Math.min(...runs.map((run) => run.creationTime));
  return spans.find((span) => span.seconds < usual.seconds && now - oldest < span.seconds) ?? usual;
}

/** What a lump is said to be: the worst of its runs. */
const GRAVITY: readonly RunStatus[] = [
  "FAILURE", "CANCELING", "STARTED", "STARTING", "QUEUED", "NOT_STARTED", "MANAGED", "SUSPENDED", "CANCELED", "SUCCESS",
];

export function layTimeline({ runs, ticks, from, to, now, gap }: TimelineInput): TimelineRow[] {
  const rows = new Map<string, TimelineRow>();
  const rowOf = (name: string): TimelineRow => {
    let found = rows.get(name);
    if (found === undefined) {
      found = { row: name, bars: [], ticks: [], latest: 0, failed: 0, count: 0 };
      rows.set(name, found);
    }
    return found;
  };
  for (const run of runs) {
    const begin = run.startTime ?? run.creationTime;
    const end = run.endTime ?? Math.max(now, begin);
    if (end < from || begin > to) continue;
    const row = rowOf(run.row);
    row.count += 1;
    row.failed += run.status === "FAILURE" ? 1 : 0;
    row.latest = Math.max(row.latest, begin);
    row.bars.push({ runIds: [run.runId], status: run.status, from: Math.max(begin, from), to: Math.min(end, to) });
  }
  for (const tick of ticks) if (tick.at >= Math.max(from, now) && tick.at <= to) rowOf(tick.row).ticks.push(tick.at);
  for (const row of rows.values()) row.bars = lump(row.bars, gap);
  return [...rows.values()].sort((one, other) => other.latest - one.latest || one.row.localeCompare(other.row));
}

/** Joins bars that are shorter than the gap and closer than it to the bar before; long runs stay themselves. */
function lump(bars: readonly Bar[], gap: number): Bar[] {
  const sorted = bars.toSorted((one, other) => one.from - other.from);
  const lumps: Bar[] = [];
  for (const bar of sorted) {
    const last = lumps.at(-1);
    if (last !== undefined && bar.from - last.from < gap) {
      last.runIds.push(...bar.runIds);
      last.to = Math.max(last.to, bar.to);
      last.status = worst(last.status, bar.status);
    } else lumps.push({ ...bar, runIds: [...bar.runIds] });
  }
  return lumps;
}

function worst(one: RunStatus, other: RunStatus): RunStatus {
  return GRAVITY.indexOf(one) <= GRAVITY.indexOf(other) ? one : other;
}

const MARK_STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/**
 * Instants for the marks of the axis, at most `most`, at round local times. `offset` is how many seconds the reader's
 * clock is ahead of UTC.
 */
export function timeMarks(from: number, to: number, most: number, offset: number): number[] {
  const step = MARK_STEPS.find((size) => (to - from) / size <= most) ?? MARK_STEPS.at(-1)!;
  const marks: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) marks.push(at);
  return marks;
}
