/** What a run makes: its job, or the assets it was launched for. */
import { Icon } from "../kit/Icon";
import { Link } from "../kit/Link";
import { links } from "../links";
import { ASSET_JOB, HERE, targetOf } from "../services/run.model";
import type { RunRow } from "../services/runs";
import css from "./runs.module.css";

interface TargetProps {
  run: Pick<RunRow, "jobName" | "assetSelection" | "repositoryLocationName">;
  /** How many assets are told by name. */
  named?: number;
}

export function Target({ run, named = 1 }: TargetProps) {
  const ofAssets = run.jobName === ASSET_JOB;
  const first = run.assetSelection?.[0];
  const to = !ofAssets
    ? links.job(run.repositoryLocationName, run.jobName)
    : first !== undefined && run.assetSelection?.length === 1
      ? links.asset(first.path)
      : links.lineage();
  return (
    <span className={css.target}>
      <Icon name={ofAssets ? "assets" : "jobs"} size={13} />
      {run.repositoryLocationName === HERE ? (
        <span className={css.strong} title="Run by a program itself, outside the code locations">
          {targetOf(run, named)}
        </span>
      ) : (
        <Link bare className={css.strong} to={to} title={(run.assetSelection ?? []).map((key) => key.path.join("/")).join("\n")}>
          {targetOf(run, named)}
        </Link>
      )}
    </span>
  );
}
