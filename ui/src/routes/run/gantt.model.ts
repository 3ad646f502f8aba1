/** Lays a run's steps out in time: rows, segments, folded fan-outs, and the marks of the axis. Pure. */
import type { Figures } from "../../services/figures.model";

export interface PlanStep {
  key: string;
  upstream: readonly string[];
}

export interface StepTimes {
  stepKey: string;
  status: "SKIPPED" | "SUCCESS" | "FAILURE" | "IN_PROGRESS" | null;
  workerStartTime: number | null;
  startTime: number | null;
  endTime: number | null;
  attempts: readonly { startTime: number | null; endTime: number | null; figures: Figures | null }[];
}

export type StepState = "WAITING" | "STARTING" | "IN_PROGRESS" | "RETRYING" | "SUCCESS" | "FAILURE" | "SKIPPED" | "CANCELED";

export interface Segment {
  kind: "queued" | "preparing" | "attempt" | "failed" | "pause";
  /** Seconds since the epoch; `to` is now for what goes on. */
  from: number;
  to: number;
  /** Of an attempt that has told it: where its time went, in order, as shares of it. */
  parts?: readonly Part[];
  figures?: Figures;
}

export interface Part {
  phase: "loading" | "computing" | "storing";
  share: number;
}

export interface GanttRow {
  key: string;
  label: string;
  state: StepState;
  /** When it began and ended; null: not yet. */
  start: number | null;
  end: number | null;
  attempts: number;
  segments: Segment[];
  /** Keys of the steps of a fan-out, when this row stands for them all. */
  members: string[] | null;
  depth: number;
}

export interface Gantt {
  rows: GanttRow[];
  from: number;
  to: number;
  counts: Record<StepState, number>;
}

export interface GanttInput {
  plan: readonly PlanStep[];
  times: readonly StepTimes[];
  runStart: number | null;
  runEnd: number | null;
  now: number;
  /** Fan-outs that are shown step by step. */
  unfolded: ReadonlySet<string>;
}

const FOLD_FROM = 4;

export function layGantt({ plan, times, runStart, runEnd, now, unfolded }: GanttInput): Gantt {
  const known = new Map(times.map((step) => [step.stepKey, step]));
  const templates = new Set(times.map((step) => fanOut(step.stepKey)).filter((name) => name !== null));
  const planned = plan.filter((step) => !templates.has(step.key.replace(/\[\?\]$/, "")) || known.has(step.key));
  const keys = [...new Set([...planned.map((step) => step.key), ...times.map((step) => step.stepKey)])];
  const steps = keys.map((key) => stepRow(key, known.get(key), runEnd, now));
  const rank = new Map(keys.map((key, index) => [key, index]));
  steps.sort((one, other) => (one.start ?? Infinity) - (other.start ?? Infinity) || rank.get(one.key)! - rank.get(other.key)!);

  const begins = steps.flatMap((row) => row.segments.map((segment) => segment.from));
  const from = runStart ?? (begins.length > 0 ? Math.min(...begins) : now);
  const to = Math.max(runEnd ?? now, from + 0.001, ...steps.flatMap((row) => row.segments.map((segment) => segment.to)));
  return { rows: fold(steps, unfolded), from: Math.min(from, ...begins), to, counts: count(steps) };
}

/** The op of a step that came out of a fan-out: "work" of "work[7]". */
export function fanOut(stepKey: string): string | null {
  return /^(.+)\[[^\]]*\]$/.exec(stepKey)?.[1] ?? null;
}

function stepRow(key: string, times: StepTimes | undefined, runEnd: number | null, now: number): GanttRow {
  const base = { key, label: key, members: null, depth: 0 };
  if (times === undefined) {
    return { ...base, state: runEnd === null ? "WAITING" : "SKIPPED", start: null, end: null, attempts: 0, segments: [] };
  }
  const horizon = times.endTime ?? runEnd ?? now;
  const state = stateOf(times, runEnd);
  return {
    ...base,
    state,
    start: times.startTime,
    end: times.endTime ?? (times.startTime === null ? null : runEnd),
    attempts: Math.max(times.attempts.length, times.startTime === null ? 0 : 1),
    segments: segmentsOf(times, state, horizon),
  };
}

function stateOf(times: StepTimes, runEnd: number | null): StepState {
  if (times.status === "SUCCESS" || times.status === "FAILURE" || times.status === "SKIPPED") return times.status;
  if (runEnd !== null) return times.startTime === null ? "SKIPPED" : "CANCELED";
  if (times.startTime === null) return times.workerStartTime === null ? "WAITING" : "STARTING";
  const last = times.attempts.at(-1);
  return last !== undefined && last.endTime !== null ? "RETRYING" : "IN_PROGRESS";
}

function segmentsOf(times: StepTimes, state: StepState, horizon: number): Segment[] {
  const segments: Segment[] = [];
  const begin = times.startTime ?? horizon;
  const first = times.attempts[0]?.figures;
  const worker = times.workerStartTime; // of the last attempt
  const asked = worker !== null && worker < begin ? worker : begin - (first?.starting ?? 0);
  if (first?.queued) segments.push({ kind: "queued", from: asked - first.queued, to: asked });
  if (asked < begin) segments.push({ kind: "preparing", from: asked, to: begin });
  if (times.startTime === null) return segments;
  const attempts = times.attempts.length > 0 ? times.attempts : [{ startTime: times.startTime, endTime: times.endTime, figures: null }];
  let reached: number | null = null;
  attempts.forEach((attempt, index) => {
    const from = attempt.startTime ?? reached ?? begin;
    const isLast = index === attempts.length - 1;
    const to = Math.max(from, attempt.endTime ?? horizon);
    if (reached !== null && from > reached) segments.push({ kind: "pause", from: reached, to: from });
    const failed = (!isLast || state === "RETRYING" || state === "FAILURE") && attempt.endTime !== null;
    const kind = failed || (isLast && state === "FAILURE") ? "failed" : "attempt";
    const { figures } = attempt;
    segments.push({ kind, from, to, ...(figures === null ? {} : { figures, parts: partsOf(figures) }) });
    reached = to;
  });
  if (state === "RETRYING" && reached !== null) segments.push({ kind: "pause", from: reached, to: Math.max(reached, horizon) });
  return segments;
}

const PHASES = ["loading", "computing", "storing"] as const;

function partsOf(figures: Figures): Part[] {
  const whole = PHASES.reduce((sum, phase) => sum + (figures[phase] ?? 0), 0);
  return whole === 0 ? [] : PHASES.map((phase) => ({ phase, share: (figures[phase] ?? 0) / whole }));
}

function count(rows: readonly GanttRow[]): Record<StepState, number> {
  const counts: Record<StepState, number> = {
    WAITING: 0, STARTING: 0, IN_PROGRESS: 0, RETRYING: 0, SUCCESS: 0, FAILURE: 0, SKIPPED: 0, CANCELED: 0,
  };
  for (const row of rows) counts[row.state] += 1;
  return counts;
}

/** Worst first: what a folded fan-out is said to be. */
const GRAVITY: readonly StepState[] = [
  "FAILURE", "RETRYING", "IN_PROGRESS", "STARTING", "CANCELED", "WAITING", "SUCCESS", "SKIPPED",
];

function fold(rows: readonly GanttRow[], unfolded: ReadonlySet<string>): GanttRow[] {
  const fans = new Map<string, GanttRow[]>();
  for (const row of rows) {
    const name = fanOut(row.key);
    if (name !== null) fans.set(name, [...(fans.get(name) ?? []), row]);
  }
  const placed = new Set<string>();
  return rows.flatMap((row) => {
    const name = fanOut(row.key);
    const members = name === null ? undefined : fans.get(name);
    if (name === null || members === undefined || members.length < FOLD_FROM) return [row];
    if (placed.has(name)) return [];
    placed.add(name);
    const head = foldedRow(name, members);
    return unfolded.has(name) ? [head, ...members.map((member) => ({ ...member, depth: 1 }))] : [head];
  });
}

function foldedRow(name: string, members: readonly GanttRow[]): GanttRow {
  const states = new Set(members.map((member) => member.state));
  const starts = members.map((member) => member.start).filter((start) => start !== null);
  const ends = members.map((member) => member.end);
  return {
    key: name,
    label: `${name} ×${members.length}`,
    state: GRAVITY.find((state) => states.has(state))!,
    start: starts.length > 0 ? Math.min(...starts) : null,
    end: ends.some((end) => end === null) ? null : Math.max(...ends.map(Number)),
    attempts: 1,
    segments: mergeSegments(members),
    members: members.map((member) => member.key),
    depth: 0,
  };
}

function mergeSegments(members: readonly GanttRow[]): Segment[] {
  const sorted = members
    .flatMap((member) => member.segments)
    .filter((segment) => segment.kind === "attempt" || segment.kind === "failed")
    .sort((one, other) => one.from - other.from);
  const merged: Segment[] = [];
  for (const segment of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && segment.from <= last.to && last.kind === segment.kind) {
      last.to = Math.max(last.to, segment.to);
    } else merged.push({ kind: segment.kind, from: segment.from, to: segment.to });
  }
  return merged;
}

const NICE = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14_400, 28_800, 86_400, 172_800, 604_800,
];

/** Offsets in seconds for the marks of an axis of the given length, at most `most` of them, at round distances. */
export function axisMarks(seconds: number, most: number): number[] {
  const step = NICE.find((size) => seconds / size <= most) ?? Math.ceil(seconds / most / 604_800) * 604_800;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}
