/** What one step wrote to stdout or stderr, with its colours. */
import { useMemo, useState } from "react";

import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { cx } from "../../kit/cx";
import { Skeleton } from "../../kit/Skeleton";
import { VirtualRows } from "../../kit/VirtualRows";
import { ansiPieces } from "./ansi.model";
import css from "./Log.module.css";
import type { CapturedText, Stream } from "./useCapturedText";

const LINE_PX = 18;

interface RawOutputProps {
  text: CapturedText;
  stream: Stream;
  /** Whose output it is; null: nothing is captured. */
  file: string | null;
  find: string;
  wrap: boolean;
}

export function RawOutput({ text, stream, file, find, wrap }: RawOutputProps) {
  const [follow, setFollow] = useState(true);
  const all = text.lines[stream];
  const wanted = find.toLowerCase();
  const lines = useMemo(
    () =>
      all
        .map((line, index) => ({ line, number: index + 1 }))
        .filter(({ line }) => wanted === "" || line.toLowerCase().includes(wanted)),
    [all, wanted],
  );
  const heights = useMemo(() => lines.map(() => LINE_PX), [lines]);
  if (text.error !== null && all.length === 0) {
    return (
      <div className={css.inset}>
        <Failure title="The output could not be read." error={text.error} />
      </div>
    );
  }
  if (file === null || lines.length === 0) {
    if (text.isLoading) return <Skeleton rows={8} />;
    return (
      <Empty title={wanted !== "" ? "No line matches" : file === null ? `Nothing on ${stream} yet` : `${file} wrote nothing to ${stream}`} icon="runs">
        {file === null ? "Output is captured from the moment a step begins." : null}
      </Empty>
    );
  }
  if (wrap) {
    return (
      <pre className={cx(css.raw, css.wrapped)} tabIndex={0}>
        {lines.map(({ line, number }) => (
          <Line key={number} line={line} number={number} />
        ))}
      </pre>
    );
  }
  return (
    <VirtualRows
      label={stream}
      role="log"
      className={css.raw}
      heights={heights}
      follow={follow}
      onFollow={setFollow}
      render={(index) => <Line key={index} {...lines[index]!} />}
    />
  );
}

function Line({ line, number }: { line: string; number: number }) {
  return (
    <div className={css.line}>
      <span className={css.number}>{number}</span>
      <span className={css.text}>
        {ansiPieces(line).map((piece, index) => (
          <span
            key={index}
            className={cx(piece.colour !== null && css[`ansi${piece.colour}`], piece.bold && css.bold, piece.dim && css.faint)}
          >
            {piece.text}
          </span>
        ))}
      </span>
    </div>
  );
}
