/** What one step wrote to stdout or stderr, with its colours. */
import { useMemo, useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { cx } from "../../kit/cx";
import { Skeleton } from "../../kit/Skeleton";
import { VirtualRows } from "../../kit/VirtualRows";
import { AnsiText } from "./AnsiText";
import css from "./Log.module.css";
import { shownText } from "./mergedLog.model";
import type { CapturedText, Stream } from "./useCapturedText";
import { useWriters } from "./useWriters";

const LINE_PX = 18;

interface RawOutputProps {
  runId: string;
  text: CapturedText;
  stream: Stream;
  /** Whose output it is; null: nothing is captured. */
  file: string | null;
  /** All files of the run. */
  files: readonly string[];
  onFile: (file: string) => void;
  onStream: (stream: Stream) => void;
  find: string;
  wrap: boolean;
}

export function RawOutput({ text, find, wrap, ...place }: RawOutputProps) {
  const { stream, file } = place;
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
    if (all.length > 0) return <Empty title="No line matches" icon="search" />;
    if (file === null) {
      return (
        <Empty title={`Nothing on ${stream} yet`} icon="runs">
          Output is captured from the moment a step begins.
        </Empty>
      );
    }
    return <Silent {...place} file={file} otherLines={text.lines[otherStream(stream)].length} />;
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

function otherStream(stream: Stream): Stream {
  return stream === "stdout" ? "stderr" : "stdout";
}

interface SilentProps extends Pick<RawOutputProps, "runId" | "stream" | "files" | "onFile" | "onStream"> {
  file: string;
  /** How many lines it wrote to the other stream. */
  otherLines: number;
}

/** The file has nothing in the stream: what has. */
function Silent({ runId, stream, file, files, onFile, onStream, otherLines }: SilentProps) {
  const others = useMemo(() => files.filter((each) => each !== file), [files, file]);
  const writers = useWriters(runId, others, stream, true);
  const other = otherStream(stream);
  return (
    <Empty title={`${file} wrote nothing to ${stream}`} icon="runs">
      {writers !== undefined && writers.files.length > 0 ? <p className={css.silent}>{writers.files.length === 1 ? "This step did:" : "These steps did:"}</p> : null}
      <div className={css.silent}>
        {otherLines > 0 ? (
          <Button onPress={() => onStream(other)}>
            {otherLines.toLocaleString("en")} {otherLines === 1 ? "line" : "lines"} on {other}
          </Button>
        ) : null}
        {writers?.files.map((each) => (
          <Button key={each} onPress={() => onFile(each)}>
            {each}
          </Button>
        ))}
        {writers?.files.length === 0 && writers.isComplete && others.length > 0 ? "Nor did any other step of this run." : null}
      </div>
    </Empty>
  );
}

function Line({ line, number }: { line: string; number: number }) {
  return (
    <div className={css.line}>
      <span className={css.number}>{number}</span>
      <span className={css.text}>
        <AnsiText text={shownText(line)} />
      </span>
    </div>
  );
}
