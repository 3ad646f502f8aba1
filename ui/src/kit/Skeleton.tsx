/** Grey bars in the place of what is being loaded; they appear only when it takes a moment. */
import css from "./Skeleton.module.css";

interface SkeletonProps {
  rows?: number;
  /** Height of one row in px. */
  height?: number;
}

export function Skeleton({ rows = 6, height = 14 }: SkeletonProps) {
  return (
    <div className={css.skeleton} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className={css.bar} style={{ height, width: `${92 - ((index * 37) % 41)}%` }} />
      ))}
    </div>
  );
}
