/** The steps of a run over time. The whole row is the target of a click: it chooses the steps whose log is shown. */
import { type CSSProperties, useMemo, useState } from "react";

import { IconButton } from "../../kit/Button";
import { cx } from "../../kit/cx";
import { Icon } from "../../kit/Icon";
import { StatusDot } from "../../kit/StatusTag";
import { useNow } from "../../kit/Time";
import { Toggle } from "../../kit/Toggle";
import { useNarrow } from "../../kit/useNarrow";
import { VirtualRows } from "../../kit/VirtualRows";
import type { RunDetail } from "../../services/runs";
import { hasEnded } from "../../services/runs";
import { figuresText } from "../../services/figures.model";
import { durationText } from "../../services/time.model";
import { axisMarks, type GanttRow, layGantt } from "./gantt.model";
import css from "./Gantt.module.css";
import { FiguresOfStep } from "./FiguresOfStep";

const ROW_PX = 26;
const MARKS = 8;
const MARKS_NARROW = 2;
const MOST_ZOOM = 64;
/** A mark beyond this share of the axis would be cut off. */
const LAST_MARK = 0.97;
/** Beyond this share of the width, in per cent, no label fits behind a bar. */
const CROWDED = 90;

interface GanttProps {
  run: RunDetail;
  steps: readonly string[];
  onSteps: (steps: readonly string[]) => void;
}

export function Gantt({ run, steps, onSteps }: GanttProps) {
  const marks = useNarrow() ? MARKS_NARROW : MARKS;
  const now = useNow(!hasEnded(run.status));
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [hideDone, setHideDone] = useState(false);
  const [zoom, setZoom] = useState(1);
  const gantt = useMemo(
    () =>
      layGantt({
        plan: (run.executionPlan?.steps ?? []).map((step) => ({
          key: step.key,
          upstream: step.inputs.flatMap((input) => input.upstreamKeys),
        })),
        times: run.stepStats,
        runStart: run.startTime,
        runEnd: run.endTime,
        now,
        unfolded,
      }),
    [run, now, unfolded],
  );
  const rows = hideDone ? gantt.rows.filter((row) => row.state !== "SUCCESS" && row.state !== "SKIPPED") : gantt.rows;
  const span = gantt.to - gantt.from;
  const selected = new Set(steps);

  const choose = (row: GanttRow, add: boolean) => {
    const keys = row.members ?? [row.key];
    const all = keys.every((key) => selected.has(key));
    if (add) onSteps(all ? steps.filter((step) => !keys.includes(step)) : [...new Set([...steps, ...keys])]);
    else onSteps(all && selected.size === keys.length ? [] : keys);
  };
  const toggleFold = (name: string) => {
    const next = new Set(unfolded);
    if (!next.delete(name)) next.add(name);
    setUnfolded(next);
  };
  const heights = useMemo(() => rows.map(() => ROW_PX), [rows]);
  const { counts } = gantt;
  const running = counts.IN_PROGRESS + counts.STARTING + counts.RETRYING;

  return (
    <section className={css.gantt} aria-label="Steps over time">
      <div className={css.bar}>
        <Count status="SUCCESS" count={counts.SUCCESS} word="done" />
        <Count status="FAILURE" count={counts.FAILURE} word="failed" />
        <Count status="IN_PROGRESS" count={running} word="running" />
        <Count status="WAITING" count={counts.WAITING} word="waiting" />
        <Count status="SKIPPED" count={counts.SKIPPED} word="skipped" />
        <Count status="CANCELED" count={counts.CANCELED} word="canceled" />
        <span className={css.space} />
        <Toggle label="Hide what is done" isOn={hideDone} onChange={setHideDone} />
        <span className={css.zoom}>
          <IconButton icon="chevronLeft" label="Zoom out" isDisabled={zoom <= 1} onPress={() => setZoom(zoom / 2)} />
          {zoom}×
          <IconButton icon="chevronRight" label="Zoom in" isDisabled={zoom >= MOST_ZOOM} onPress={() => setZoom(zoom * 2)} />
        </span>
      </div>
      <div className={css.scroller}>
        <div className={css.canvas} style={{ width: zoom === 1 ? "100%" : `calc(var(--names) + (100% - var(--names)) * ${zoom})` }}>
          <div className={css.axis} aria-hidden="true">
            <span className={css.name}>Step</span>
            <span className={css.track}>
              {axisMarks(span, marks * zoom).filter((offset) => offset / span < LAST_MARK).map((offset) => (
                <span key={offset} className={css.mark} style={{ left: `${(offset / span) * 100}%` }}>
                  {offset === 0 ? "0" : durationText(offset)}
                </span>
              ))}
            </span>
          </div>
          <VirtualRows
            label="Steps"
            heights={heights}
            className={css.rows}
            render={(index) => {
              const row = rows[index]!;
              const chosen = (row.members ?? [row.key]).every((key) => selected.has(key));
              return (
                <div key={row.key} role="listitem" className={cx(css.row, chosen && css.chosen, steps.length > 0 && !chosen && css.dim)}>
                  <span className={css.name}>
                    {row.depth > 0 ? <span className={css.indent} /> : null}
                    {row.members === null ? null : (
                      <button
                        type="button"
                        className={css.fold}
                        aria-expanded={unfolded.has(row.key)}
                        aria-label={`Show the steps of ${row.key}`}
                        onClick={() => toggleFold(row.key)}
                      >
                        <Icon name={unfolded.has(row.key) ? "chevronDown" : "chevronRight"} size={12} />
                      </button>
                    )}
                    <StatusDot status={row.state} />
                    <button
                      type="button"
                      className={css.step}
                      aria-pressed={chosen}
                      title={row.key}
                      onClick={(event) => choose(row, event.metaKey || event.ctrlKey || event.shiftKey)}
                    >
                      {row.label}
                    </button>
                  </span>
                  <span className={css.track} onClick={(event) => choose(row, event.metaKey || event.ctrlKey || event.shiftKey)}>
                    <Bars row={row} from={gantt.from} span={span} now={now} />
                  </span>
                </div>
              );
            }}
          />
        </div>
      </div>
      <FiguresOfStep run={run} steps={steps} />
    </section>
  );
}

function Count({ status, count, word }: { status: string; count: number; word: string }) {
  if (count === 0) return null;
  return (
    <span className={css.count}>
      <StatusDot status={status} label={word} /> {count} {word}
    </span>
  );
}

type Side = "before" | "inside" | "after";

/** A label stands behind its bar; near the right end inside it, or before one too short for that. */
function labelStyle(side: Side, left: number, right: number): CSSProperties {
  if (side === "after") return { left: `${right}%` };
  return { right: `${100 - (side === "inside" ? right : left)}%` };
}

interface BarsProps {
  row: GanttRow;
  from: number;
  span: number;
  now: number;
}

function Bars({ row, from, span, now }: BarsProps) {
  const last = row.segments.at(-1);
  if (last === undefined) return null;
  const place = (seconds: number) => ((seconds - from) / span) * 100;
  const left = place(row.segments[0]!.from);
  const length = row.start === null ? null : (row.end ?? now) - row.start;
  const right = place(last.to);
  const side = right <= CROWDED ? "after" : right - left >= 100 - CROWDED ? "inside" : "before";
  const words = `${row.label}: ${length === null ? "starting" : durationText(length)}${row.attempts > 1 ? `, ${row.attempts} attempts` : ""}`;
  return (
    <>
      {row.segments.map((segment, index) => (
        <span
          key={index}
          className={cx(css.segment, css[segment.kind], segment.kind === "attempt" && css[row.state])}
          style={{ left: `${place(segment.from)}%`, width: `max(3px, ${place(segment.to) - place(segment.from)}%)` }}
          title={segment.figures === undefined ? words : `${words}. ${figuresText(segment.figures)}`}
        >
          {segment.parts?.map(({ phase, share }) => (
            <span key={phase} className={css[phase]} style={{ width: `${share * 100}%` }} />
          ))}
        </span>
      ))}
      <span className={cx(css.length, side === "inside" && css.inside)} style={labelStyle(side, left, right)}>
        {length === null ? "" : durationText(length)}
        {row.attempts > 1 ? ` · ${row.attempts} attempts` : ""}
      </span>
    </>
  );
}
