/** What made a run, with a link to it. */
import { Icon } from "../kit/Icon";
import { Link } from "../kit/Link";
import { links } from "../links";
import { originOf, shortId } from "../services/run.model";
import type { RunRow } from "../services/runs";
import css from "./runs.module.css";

type OriginProps = { run: Pick<RunRow, "tags" | "parentRunId" | "repositoryLocationName"> };

export function Origin({ run }: OriginProps) {
  const origin = originOf(run);
  const location = run.repositoryLocationName;
  if (origin.kind === "schedule" || origin.kind === "sensor") {
    const to = origin.kind === "schedule" ? links.schedule(location, origin.name) : links.sensor(location, origin.name);
    return (
      <span className={css.origin}>
        <Icon name="automation" size={13} />
        <Link bare className={css.quiet} to={to}>
          {origin.name}
        </Link>
      </span>
    );
  }
  if (origin.kind === "reexecution") {
    return (
      <span className={css.origin}>
        <Icon name="reload" size={13} />
        <Link bare className={css.quiet} to={links.run(run.parentRunId ?? "")}>
          of {origin.name}
        </Link>
      </span>
    );
  }
  if (origin.kind === "backfill") {
    return (
      <span className={css.origin}>
        <Icon name="backfills" size={13} />
        <Link bare className={css.quiet} to={links.backfill(origin.name)} title={origin.name}>
          Backfill {shortId(origin.name)}
        </Link>
      </span>
    );
  }
  return (
    <span className={css.origin}>
      <span>{origin.name}</span>
    </span>
  );
}
