/** A status as colour, shape and word; `StatusDot` keeps the word for those who cannot see it. */
import css from "./StatusTag.module.css";
import { cx } from "./cx";
import { type Shape, statusLook } from "./status.model";

interface StatusProps {
  status: string;
  /** Another word than the status's own. */
  label?: string;
  /** Smaller, without the background. */
  bare?: boolean;
}

export function StatusTag({ status, label, bare = false }: StatusProps) {
  const look = statusLook(status);
  return (
    <span className={cx(css.tag, css[look.tone], bare && css.bare)}>
      <StatusShape shape={look.shape} />
      {label ?? look.label}
    </span>
  );
}

export function StatusDot({ status, label }: StatusProps) {
  const look = statusLook(status);
  const word = label ?? look.label;
  return (
    <span className={cx(css.dot, css[look.tone])} role="img" aria-label={word} title={word}>
      <StatusShape shape={look.shape} />
    </span>
  );
}

function StatusShape({ shape }: { shape: Shape }) {
  return (
    <svg className={cx(css.shape, shape === "ring" && css.turning)} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      {shape === "check" || shape === "cross" || shape === "dash" || shape === "skip" ? (
        <circle cx="6" cy="6" r="6" className={css.filled} />
      ) : null}
      {shape === "check" ? <path d="m3.5 6.2 1.8 1.8 3.2-3.7" className={css.glyph} /> : null}
      {shape === "cross" ? <path d="m4 4 4 4m0-4L4 8" className={css.glyph} /> : null}
      {shape === "dash" ? <path d="M3.5 6h5" className={css.glyph} /> : null}
      {shape === "skip" ? <path d="M4 4l2 2-2 2M8 4v4" className={css.glyph} /> : null}
      {shape === "dot" ? <circle cx="6" cy="6" r="3.5" className={css.filled} /> : null}
      {shape === "hollow" ? <circle cx="6" cy="6" r="4.2" className={css.line} /> : null}
      {shape === "clock" ? <path d="M6 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6M6 3.5V6l1.7 1" className={css.line} /> : null}
      {shape === "ring" ? <path d="M6 1.2A4.8 4.8 0 1 1 1.5 4.3" className={css.line} /> : null}
    </svg>
  );
}
