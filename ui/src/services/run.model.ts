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
  user: "penstock/user",
} as const;

/** The job that stands for a selection of assets without a job of its own. */
export const ASSET_JOB = "__ASSET_JOB";

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
  return { kind: "person", name: value(TAG.user) ?? "Launched by hand" };
}

/** Tags that people set; ours are shown by other means. */
export function ownTags(tags: readonly Tag[]): Tag[] {
  return tags.filter((tag) => !tag.key.startsWith("penstock/") && !tag.key.startsWith("."));
}

/** The part of an id that people can tell apart. Ids grow with time, so their ends differ most. */
export function shortId(runId: string): string {
  return runId.slice(-8);
}

/** "daily_delays", or the assets when the run has no job of its own. */
export function targetOf(run: { jobName: string; assetSelection: readonly { path: readonly string[] }[] | null }): string {
  if (run.jobName !== ASSET_JOB) return run.jobName;
  const assets = run.assetSelection ?? [];
  if (assets.length === 0) return "All assets";
  const first = assets[0]!.path.join("/");
  return assets.length === 1 ? first : `${first} and ${assets.length - 1} more`;
}
