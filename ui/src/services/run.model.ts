/** What a run is about and where it came from, in words. Pure. */

interface Tag {
  key: string;
  value: string;
}

export const TAG = {
  schedule: "penstock/schedule_name",
  sensor: "penstock/sensor_name",
  backfill: "penstock/backfill",
  partition: "penstock/partition",
  rangeStart: "penstock/asset_partition_range_start",
  rangeEnd: "penstock/asset_partition_range_end",
  user: "penstock/user",
} as const;

/** The job that stands for a selection of assets without a job of its own. */
export const ASSET_JOB = "__ASSET_JOB";
/** The location of runs that a program executed itself; no code location has their jobs. */
export const HERE = "(this process)";

export type Origin =
  | { kind: "schedule" | "sensor"; name: string }
  | { kind: "backfill"; name: string }
  | { kind: "reexecution"; name: string }
  | { kind: "person"; name: string };

/** What made the run. */
export function originOf(run: { tags: readonly Tag[]; parentRunId: string | null }): Origin {
  const value = (key: string) => run.tags.find((tag) => tag.key === key)?.value;
  const schedule = value(TAG.schedule);
  if (schedule !== undefined) return { kind: "schedule", name: schedule };
  const sensor = value(TAG.sensor);
  if (sensor !== undefined) return { kind: "sensor", name: sensor };
  if (run.parentRunId !== null) return { kind: "reexecution", name: shortId(run.parentRunId) };
  const backfill = value(TAG.backfill);
  if (backfill !== undefined) return { kind: "backfill", name: backfill };
  return { kind: "person", name: value(TAG.user) ?? "By hand" };
}

/** Tags that people set; ours are shown by other means. */
export function ownTags(tags: readonly Tag[]): Tag[] {
  return tags.filter((tag) => !tag.key.startsWith("penstock/") && !tag.key.startsWith("."));
}

/** The part of an id that people can tell apart. Ids grow with time, so their ends differ most. */
export function shortId(runId: string): string {
  return runId.slice(-8);
}

/** The partition it works on, or the first and the last of a range; null when it is about none. */
export function partitionsOf(run: { partition: string | null; tags: readonly Tag[] }): { first: string; last: string } | null {
  if (run.partition !== null) return { first: run.partition, last: run.partition };
  const value = (key: string) => run.tags.find((tag) => tag.key === key)?.value;
  const [first, last] = [value(TAG.rangeStart), value(TAG.rangeEnd)];
  return first === undefined || last === undefined ? null : { first, last };
}

/** "2013-01-01", "2013-01-01 to 2013-12-31", or nothing. */
export function partitionsText(run: { partition: string | null; tags: readonly Tag[] }): string {
  const found = partitionsOf(run);
  if (found === null) return "";
  return found.first === found.last ? found.first : `${found.first} to ${found.last}`;
}

interface Targeted {
  jobName: string;
  assetSelection: readonly { path: readonly string[] }[] | null;
}

/** The run's job, or its assets when it has no job of its own: at most `named` by name, and how many more. */
export function targetOf(run: Targeted, named = 1): string {
  if (run.jobName !== ASSET_JOB) return run.jobName;
  const names = (run.assetSelection ?? []).map(({ path }) => path.join("/"));
  if (names.length === 0) return "All assets";
  // "a, b, c and 1 more" would be longer than the name it leaves out
  const shown = names.length === named + 1 ? names : names.slice(0, named);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)!}`;
}
