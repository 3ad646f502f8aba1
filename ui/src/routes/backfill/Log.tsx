/** What happened to a backfill itself, newest at the end. */
import { cx } from "../../kit/cx";
import { Empty } from "../../kit/Empty";
import { Time } from "../../kit/Time";
import type { BackfillDetail } from "../../services/backfills";
import css from "./backfill.module.css";

export function Log({ lines }: { lines: BackfillDetail["logEvents"] }) {
  if (lines.length === 0) return <Empty title="Nothing has happened yet" icon="runs" />;
  return (
    <ol className={css.log} aria-label="Log of the backfill">
      {lines.map((line, index) => (
        <li key={index} className={cx(css.line, (line.level === "ERROR" || line.level === "CRITICAL") && css.bad)}>
          <span className={css.at}>
            <Time at={line.timestamp} />
          </span>
          <span className={css.level}>{line.level}</span>
          <span className={css.message}>{line.message}</span>
        </li>
      ))}
    </ol>
  );
}
