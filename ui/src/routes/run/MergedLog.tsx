/** Events and output as one stream: one row a line, in the order in which it came. */
import { useMemo } from "react";

import { Button } from "../../kit/Button";
import { cx } from "../../kit/cx";
import { Failure } from "../../kit/ErrorPanel";
import { Empty } from "../../kit/Empty";
import { Skeleton } from "../../kit/Skeleton";
import { useTimeStyle } from "../../kit/Time";
import { VirtualRows } from "../../kit/VirtualRows";
import type { Followed } from "../../services/followed";
import type { MergedEntry } from "../../services/runs";
import { clockTime, type TimeStyle } from "../../services/time.model";
import { AnsiText } from "./AnsiText";
import { rowHeight, shownLines } from "./eventLog.model";
import css from "./Log.module.css";
import { LogGone } from "./LogGone";
import { entryStep, entryTone, entryWords, shownText } from "./mergedLog.model";

interface MergedLogProps {
  log: Followed<MergedEntry>;
  /** Shows an event with its details. */
  onEvent: (eventId: string) => void;
  onStep: (stepKey: string) => void;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  isFiltered: boolean;
  /** Whether the events of the run are still kept. */
  isKept: boolean;
}

export function MergedLog({ log, onEvent, onStep, follow, onFollow, isFiltered, isKept }: MergedLogProps) {
  const { items: entries, isLoading, error, readOn } = log;
  const style = useTimeStyle();
  const heights = useMemo(() => entries.map((entry) => rowHeight(entry.text)), [entries]);
  if (error !== null && entries.length === 0) {
    return (
      <div className={css.inset}>
        <Failure title="The log could not be read." error={error} />
      </div>
    );
  }
  if (entries.length === 0) {
    if (isLoading) return <Skeleton rows={8} />;
    if (!isKept) return <LogGone />;
    return isFiltered ? (
      <Empty title="No line matches" icon="filter" />
    ) : (
      <Empty title="Nothing has happened yet" icon="runs">
        Events and output appear here as they come.
      </Empty>
    );
  }
  return (
    <div className={css.split}>
      <div className={css.left}>
        <VirtualRows
          label="Events and output"
          role="log"
          heights={heights}
          follow={follow}
          onFollow={onFollow}
          render={(index) => (
            <Row key={index} entry={entries[index]!} height={heights[index]!} style={style} onEvent={onEvent} onStep={onStep} />
          )}
        />
        {readOn === null ? null : (
          <p className={css.held}>
            {entries.length.toLocaleString("en")} lines read; there are more. <Button onPress={readOn}>Read on</Button>
          </p>
        )}
      </div>
    </div>
  );
}

interface RowProps {
  entry: MergedEntry;
  height: number;
  style: TimeStyle;
  onEvent: (eventId: string) => void;
  onStep: (stepKey: string) => void;
}

function Row({ entry, height, style, onEvent, onStep }: RowProps) {
  const { event, timestamp } = entry;
  const step = entryStep(entry);
  const choose = () => {
    if (event !== null && window.getSelection()?.isCollapsed !== false) onEvent(event.eventId);
  };
  const isSaid = event === null || event.eventType === null;
  return (
    <div className={cx(css.row, css[entryTone(entry)], isSaid && css.said)} style={{ height }} onClick={choose}>
      <span className={css.time}>{timestamp === null ? "" : clockTime(Number(timestamp) / 1000, style)}</span>
      {step === null ? (
        <span className={css.step} />
      ) : (
        <button
          type="button"
          className={css.step}
          title={`Only ${step}`}
          onClick={(click) => {
            click.stopPropagation();
            onStep(step);
          }}
        >
          {step}
        </button>
      )}
      <span className={css.type}>{entryWords(entry)}</span>
      <span className={css.message}>
        {event === null ? <AnsiText text={shownText(entry.text)} /> : shownLines(entry.text).join("\n")}
      </span>
    </div>
  );
}
