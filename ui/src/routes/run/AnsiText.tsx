/** A line with the colours that it was printed in. */
import { cx } from "../../kit/cx";
import { ansiPieces } from "./ansi.model";
import css from "./Log.module.css";

export function AnsiText({ text }: { text: string }) {
  return ansiPieces(text).map((piece, index) => (
    <span key={index} className={cx(piece.colour !== null && css[`ansi${piece.colour}`], piece.bold && css.bold, piece.dim && css.faint)}>
      {piece.text}
    </span>
  ));
}
