/** The structured log: one row an event, its details beside it. */
import { type KeyboardEvent, useMemo, useRef, useState } from "react";

import { Button, IconButton } from "../../kit/Button";
import { cx } from "../../kit/cx";
import { Failure } from "../../kit/ErrorPanel";
import { Empty } from "../../kit/Empty";
import { Icon } from "../../kit/Icon";
import { Skeleton } from "../../kit/Skeleton";
import { useTimeStyle } from "../../kit/Time";
import { VirtualRows, type VirtualRowsHandle } from "../../kit/VirtualRows";
import type { Followed } from "../../services/followed";
import type { RunEvent } from "../../services/runs";
import { clockTime, type TimeStyle } from "../../services/time.model";
import { EventDetails } from "./EventDetails";
import { type FoldRow, foldEvents, type LogRow } from "./eventFolds.model";
import { eventTone, eventWords, rowHeight, shownLines } from "./eventLog.model";
import css from "./Log.module.css";
import { LogGone } from "./LogGone";

const FOLD_PX = rowHeight("one line");

interface EventLogProps {
  log: Followed<RunEvent>;
  /** Id of the event whose details are shown. */
  open: string | null;
  onOpen: (eventId: string | null) => void;
  onStep: (stepKey: string) => void;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  isFiltered: boolean;
  /** Whether the events of the run are still kept. */
  isKept: boolean;
}

export function EventLog({ log, open, onOpen, onStep, follow, onFollow, isFiltered, isKept }: EventLogProps) {
  const { items: events, isLoading, error, readOn } = log;
  const style = useTimeStyle();
  const rows = useRef<VirtualRowsHandle>(null);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const lines = useMemo(() => foldEvents(events, unfolded, open), [events, unfolded, open]);
  const heights = useMemo(
    () => lines.map((line) => (line.kind === "fold" ? FOLD_PX : rowHeight(events[line.index]!.message))),
    [lines, events],
  );
  const at = open === null ? -1 : lines.findIndex((line) => line.kind === "event" && events[line.index]!.eventId === open);
  const opened = at < 0 ? undefined : eventAt(lines, events, at);

  const shownFor = useRef<string | null>(null);
  if (open === null) shownFor.current = null;
  if (opened !== undefined && shownFor.current !== open) {
    shownFor.current = open;
    queueMicrotask(() => rows.current?.show(at));
  }
  const move = (step: number) => {
    let to = at < 0 ? 0 : at + step;
    while (lines[to]?.kind === "fold") to += step;
    const next = eventAt(lines, events, to);
    if (next === undefined) return;
    shownFor.current = next.eventId; // the reader moves row by row: do not jump
    onOpen(next.eventId);
  };
  const toggle = (fold: FoldRow) => {
    const next = new Set(unfolded);
    if (fold.isOpen) next.delete(fold.key);
    else next.add(fold.key);
    setUnfolded(next);
    if (fold.isOpen && opened !== undefined && events.slice(fold.from, fold.to).includes(opened)) onOpen(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "j") move(1);
    else if (event.key === "ArrowUp" || event.key === "k") move(-1);
    else if (event.key === "Escape" && open !== null) onOpen(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  if (error !== null && events.length === 0) return <div className={css.inset}><Failure title="The log could not be read." error={error} /></div>;
  if (events.length === 0) {
    if (isLoading) return <Skeleton rows={8} />;
    if (!isKept) return <LogGone />;
    return isFiltered ? (
      <Empty title="No event matches" icon="filter">
        The log has events, but none that the filter leaves over.
      </Empty>
    ) : (
      <Empty title="Nothing has happened yet" icon="runs">
        Events appear here as they come.
      </Empty>
    );
  }
  return (
    <div className={css.split} onKeyDown={onKeyDown}>
      <div className={css.left}>
        <VirtualRows
          ref={rows}
          label="Events"
          role="log"
          heights={heights}
          follow={follow && opened === undefined}
          onFollow={onFollow}
          render={(index) => {
            const line = lines[index]!;
            const event = events[line.kind === "fold" ? line.from : line.index]!;
            if (line.kind === "fold") return <Fold key={`fold ${line.key}`} fold={line} first={event} style={style} onToggle={() => toggle(line)} />;
            return (
              <Row
                key={event.eventId}
                event={event}
                height={heights[index]!}
                style={style}
                isOpen={event === opened}
                onOpen={() => {
                  shownFor.current = event.eventId;
                  onOpen(event === opened ? null : event.eventId);
                }}
                onStep={onStep}
              />
            );
          }}
        />
        {readOn === null ? null : (
          <p className={css.held}>
            {events.length.toLocaleString("en")} events read; there are more. <Button onPress={readOn}>Read on</Button>
          </p>
        )}
      </div>
      {opened === undefined ? null : (
        <aside className={css.details} aria-label="Details of the event">
          <header className={css.detailsHead}>
            <span className={css.type}>{eventWords(opened.eventType)}</span>
            <IconButton icon="close" label="Close the details" onPress={() => onOpen(null)} />
          </header>
          <EventDetails event={opened} />
        </aside>
      )}
    </div>
  );
}

function eventAt(lines: readonly LogRow[], events: readonly RunEvent[], at: number): RunEvent | undefined {
  const line = lines[at];
  return line?.kind === "event" ? events[line.index] : undefined;
}

interface FoldProps {
  fold: FoldRow;
  /** The first of its events. */
  first: RunEvent;
  style: TimeStyle;
  onToggle: () => void;
}

function Fold({ fold, first, style, onToggle }: FoldProps) {
  return (
    <button
      type="button"
      className={cx(css.row, css.fold, css[eventTone(first)])}
      style={{ height: FOLD_PX }}
      aria-expanded={fold.isOpen}
      title={fold.isOpen ? "Fold these events" : "Show each of these events"}
      onClick={onToggle}
    >
      <span className={css.time}>{clockTime(Number(first.timestamp) / 1000, style)}</span>
      <span className={css.step}>{first.stepKey}</span>
      <span className={css.type}>{eventWords(first.eventType)}</span>
      <span className={css.message}>
        <Icon name="chevronRight" size={12} className={cx(css.caret, fold.isOpen && css.down)} />
        {fold.words}
      </span>
    </button>
  );
}

interface RowProps {
  event: RunEvent;
  height: number;
  style: TimeStyle;
  isOpen: boolean;
  onOpen: () => void;
  onStep: (stepKey: string) => void;
}

function Row({ event, height, style, isOpen, onOpen, onStep }: RowProps) {
  const { stepKey } = event;
  const choose = () => {
    if (window.getSelection()?.isCollapsed !== false) onOpen();
  };
  return (
    <div className={cx(css.row, css[eventTone(event)], event.eventType === null && css.said, isOpen && css.isOpen)} style={{ height }} onClick={choose}>
      <span className={css.time}>{clockTime(Number(event.timestamp) / 1000, style)}</span>
      {stepKey === null ? (
        <span className={css.step} />
      ) : (
        <button
          type="button"
          className={css.step}
          title={`Only ${stepKey}`}
          onClick={(click) => {
            click.stopPropagation();
            onStep(stepKey);
          }}
        >
          {stepKey}
        </button>
      )}
      <span className={css.type}>{event.eventType === null ? event.level.toLowerCase() : eventWords(event.eventType)}</span>
      <span className={css.message}>{shownLines(event.message).join("\n")}</span>
    </div>
  );
}
