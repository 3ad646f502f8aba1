/** What of the latest runs and checks still needs somebody. Pure. */
import type { RunStatus } from "../../services/schema.gen";

interface AttemptedRun {
  status: RunStatus;
  repositoryLocationName: string;
  jobName: string;
  partition: string | null;
  assetSelection: readonly { path: readonly string[] }[] | null;
  creationTime: number;
}

/** Runs that failed and have not been made good: no later run of the same job, assets and partition succeeded. */
export function unmended<Run extends AttemptedRun>(runs: readonly Run[]): Run[] {
  const mended = new Map<string, number>();
  for (const run of runs) {
    if (run.status !== "SUCCESS") continue;
    const target = targetKey(run);
    mended.set(target, Math.max(mended.get(target) ?? 0, run.creationTime));
  }
  return runs.filter((run) => run.status === "FAILURE" && (mended.get(targetKey(run)) ?? 0) <= run.creationTime);
}

function targetKey(run: AttemptedRun): string {
  const assets = (run.assetSelection ?? []).map(({ path }) => path.join("/")).toSorted();
  return JSON.stringify([run.repositoryLocationName, run.jobName, run.partition, assets]);
}

/** Runs that failed, gathered by what is probably one cause: the job, the step, and the message without its numbers. */
export interface FailureGroup<Run> {
  key: string;
  runs: Run[];
}

interface FailedRun {
  jobName: string;
  failure: { stepKey: string | null; message: string } | null;
}

export function groupFailures<Run extends FailedRun>(runs: readonly Run[]): FailureGroup<Run>[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const message = (run.failure?.message ?? "").replaceAll(/0x[0-9a-f]+|\d+/gi, "#");
    const key = JSON.stringify([run.jobName, run.failure?.stepKey ?? null, message]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups].map(([key, members]) => ({ key, runs: members }));
}

interface CheckedAsset {
  assetKey: { path: readonly string[] };
  assetChecks: readonly { name: string; latestExecution: CheckExecution | null }[];
}

interface CheckExecution {
  status: string;
  timestamp: number;
  evaluation: { severity: string; description: string | null } | null;
}

export interface FailedCheck {
  path: readonly string[];
  name: string;
  /** Whether it only warns. */
  warns: boolean;
  words: string;
  /** When it was evaluated. */
  at: number;
}

/** Checks whose latest evaluation did not pass: errors before warnings, then newest first. */
export function failedChecks(assets: readonly CheckedAsset[]): FailedCheck[] {
  return assets
    .flatMap(({ assetKey, assetChecks }) =>
      assetChecks.flatMap(({ name, latestExecution: latest }) => {
        if (latest?.status !== "FAILED" && latest?.status !== "EXECUTION_FAILED") return [];
        const words = latest.evaluation?.description ?? (latest.status === "FAILED" ? "did not pass" : "could not be evaluated");
        const warns = latest.status === "FAILED" && latest.evaluation?.severity === "WARN";
        return [{ path: assetKey.path, name, warns, words, at: latest.timestamp }];
      }),
    )
    .toSorted((one, other) => Number(one.warns) - Number(other.warns) || other.at - one.at);
}

interface Message {
  readonly rule: string;
  readonly target: string;
  /** Why it was not taken when it was last tried; null if it was not tried yet. */
  readonly error: string | null;
  readonly createdTimestamp: number;
  /** Since when it is given up. */
  readonly endedTimestamp: number | null;
}

export interface Untaken {
  rule: string;
  target: string;
  error: string;
  /** Since when the newest of them is there. */
  at: number;
  isGivenUp: boolean;
}

const DAY = 86_400;

/** Where messages of alerts do not get through, each place once, with the newest message; what was given up long ago is history. */
export function untaken(messages: readonly Message[], now: number): Untaken[] {
  const places = new Map<string, Untaken>();
  for (const { rule, target, error, createdTimestamp: at, endedTimestamp: ended } of messages) {
    if (error === null || (ended !== null && ended < now - DAY)) continue;
    const place = JSON.stringify([rule, target]);
    if ((places.get(place)?.at ?? -1) < at) places.set(place, { rule, target, error, at, isGivenUp: ended !== null });
  }
  return [...places.values()].toSorted((one, other) => other.at - one.at);
}
