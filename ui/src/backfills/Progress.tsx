/** How far a backfill has come, or one asset of it: a bar of outcomes, and the same in words. */
import { cx } from "../kit/cx";
import type { BackfillCounts } from "../services/backfills";
import { OUTCOMES, progressText } from "./backfill.model";
import css from "./Progress.module.css";

export function Progress({ counts }: { counts: BackfillCounts }) {
  const total = Math.max(1, counts.total);
  const words = OUTCOMES.filter(({ name }) => counts[name] > 0).map(({ name, word }) => `${counts[name].toLocaleString("en")} ${word}`);
  return (
    <span className={css.progress} title={words.join(", ")}>
      <span className={css.bar} aria-hidden="true">
        {OUTCOMES.map(({ name }) =>
          counts[name] === 0 ? null : <span key={name} className={cx(css.part, css[name])} style={{ width: `${(counts[name] / total) * 100}%` }} />,
        )}
      </span>
      <span className={css.words}>{progressText(counts)}</span>
    </span>
  );
}
