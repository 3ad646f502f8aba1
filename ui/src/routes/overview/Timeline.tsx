/** Runs of the last hours, one row a job; drag over it to look closer, click a bar to open its run. */
import { type PointerEvent, useMemo, useRef, useState } from "react";

import { cx } from "../../kit/cx";
import { Icon } from "../../kit/Icon";
import { Link } from "../../kit/Link";
import { useTimeStyle } from "../../kit/Time";
import { useNarrow } from "../../kit/useNarrow";
import { statusLook } from "../../kit/status.model";
import { links } from "../../links";
import type { OverviewRun } from "../../services/overview";
import { ASSET_JOB, shortId, targetOf } from "../../services/run.model";
import { dayOf, durationText, minuteTime, shortTime, type TimeStyle } from "../../services/time.model";
import { type Bar, layTimeline, timeMarks } from "./timeline.model";
import css from "./Timeline.module.css";

const MARKS = 9;
const MARKS_NARROW = 3;
/** A mark beyond this part of the axis, in per cent, would be cut off. */
const LAST_MARK = 94;
const LUMP_SHARE = 1 / 160;
const LEAST_DRAG = 0.01;

export interface Tick {
  location: string;
  job: string;
  at: number;
}

interface TimelineProps {
  runs: readonly OverviewRun[];
  ticks: readonly Tick[];
  /** Seconds since the epoch. */
  from: number;
  to: number;
  now: number;
  /** A part of the time was chosen to be looked at closer. */
  onZoom: (from: number, to: number) => void;
}

export function Timeline({ runs, ticks, from, to, now, onZoom }: TimelineProps) {
  const style = useTimeStyle();
  const track = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const span = to - from;
  const byId = useMemo(() => new Map(runs.map((run) => [run.runId, run])), [runs]);
  const rows = useMemo(
    () =>
      layTimeline({
        runs: runs.map((run) => ({ ...run, row: rowKey(run.repositoryLocationName, run.jobName) })),
        ticks: ticks.map((tick) => ({ row: rowKey(tick.location, tick.job), at: tick.at })),
        from,
        to,
        now,
        gap: span * LUMP_SHARE,
      }),
    [runs, ticks, from, to, now, span],
  );
  const place = (at: number) => ((at - from) / span) * 100;
  const most = useNarrow() ? MARKS_NARROW : MARKS;
  const marks = timeMarks(from, to, most, zoneOffset(from, style.zone));

  const shareAt = (event: PointerEvent) => {
    const box = track.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest("a, button") !== null) return;
    const share = shareAt(event);
    setDrag({ from: share, to: share });
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerUp = () => {
    if (drag !== null && Math.abs(drag.to - drag.from) > LEAST_DRAG) {
      onZoom(from + Math.min(drag.from, drag.to) * span, from + Math.max(drag.from, drag.to) * span);
    }
    setDrag(null);
  };

  return (
    <div className={css.timeline} role="table" aria-label="Runs over time">
      <div className={css.axis} aria-hidden="true">
        <span className={css.name} />
        <span ref={track} className={css.track}>
          {marks.filter((at) => place(at) < LAST_MARK).map((at) => (
            <span key={at} className={css.mark} style={{ left: `${place(at)}%` }}>
              {markText(at, span, style)}
            </span>
          ))}
        </span>
      </div>
      <div
        className={css.rows}
        onPointerDown={onPointerDown}
        onPointerMove={(event) => {
          if (drag !== null) setDrag({ ...drag, to: shareAt(event) });
        }}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDrag(null)}
      >
        {rows.map((row) => {
          const [location, job] = JSON.parse(row.row) as [string, string];
          return (
            <div key={row.row} className={css.row} role="row">
              <span className={css.name} role="rowheader">
                <Icon name={job === ASSET_JOB ? "assets" : "jobs"} size={13} />
                <Link bare to={job === ASSET_JOB ? links.lineage() : links.job(location, job)} title={job === ASSET_JOB ? `Assets of ${location}` : `${job} in ${location}`}>
                  {job === ASSET_JOB ? `Assets of ${location}` : job}
                </Link>
                {row.failed > 0 ? <span className={css.failed}>{row.failed} failed</span> : null}
              </span>
              <span className={css.track} role="cell">
                {row.bars.map((bar) => (
                  <RunBar key={bar.runIds[0]} bar={bar} left={place(bar.from)} width={place(bar.to) - place(bar.from)} run={byId.get(bar.runIds[0]!)!} style={style} onZoom={onZoom} gap={span * LUMP_SHARE} now={now} />
                ))}
                {row.ticks.map((at) => (
                  <span key={at} className={css.tick} style={{ left: `${place(at)}%` }} title={`Due ${shortTime(at, now, style)}`} />
                ))}
              </span>
            </div>
          );
        })}
        <div className={css.over} aria-hidden="true">
          {marks.map((at) => (
            <span key={at} className={css.grid} style={{ left: `${place(at)}%` }} />
          ))}
          {now >= from && now <= to ? <span className={css.now} style={{ left: `${place(now)}%` }} /> : null}
          {drag === null ? null : (
            <span
              className={css.drag}
              style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%` }}
            />
          )}
        </div>
      </div>
    </div>
  );
}

function rowKey(location: string, job: string): string {
  return JSON.stringify([location, job]);
}

interface RunBarProps {
  bar: Bar;
  left: number;
  width: number;
  run: OverviewRun;
  style: TimeStyle;
  now: number;
  gap: number;
  onZoom: (from: number, to: number) => void;
}

function RunBar({ bar, left, width, run, style, now, gap, onZoom }: RunBarProps) {
  const look = statusLook(bar.status);
  const place = { left: `${left}%`, width: `max(5px, ${width}%)` };
  const start = run.startTime ?? run.creationTime;
  if (bar.runIds.length > 1) {
    const words = `${bar.runIds.length} runs from ${shortTime(bar.from, now, style)}; click to look closer`;
    return (
      <button
        type="button"
        className={cx(css.bar, css.lump, css[look.tone])}
        style={{ ...place, width: `max(20px, ${width}%)` }}
        title={words}
        aria-label={words}
        onClick={() => onZoom(bar.from - gap * 2, bar.to + gap * 2)}
      >
        {bar.runIds.length}
      </button>
    );
  }
  const length = run.startTime === null ? "" : `, ${durationText((run.endTime ?? now) - run.startTime)}`;
  const words = `${targetOf(run)} ${shortId(run.runId)}: ${look.label.toLowerCase()}, ${shortTime(start, now, style)}${length}${run.partition === null ? "" : `, partition ${run.partition}`}${run.failure === null ? "" : `\n${run.failure.message}`}`;
  return <Link bare to={links.run(run.runId)} className={cx(css.bar, css[look.tone])} style={place} title={words} aria-label={words} />;
}

function markText(at: number, span: number, style: TimeStyle): string {
  if (span > 86_400 * 3.5) return dayOf(at, style);
  const time = minuteTime(at, style);
  return time === "00:00" ? dayOf(at, style) : time;
}

/** How many seconds the zone is ahead of UTC at an instant. */
function zoneOffset(at: number, zone: string): number {
  const text = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(new Date(at * 1000))
    .find((part) => part.type === "timeZoneName")?.value;
  const [, sign, hours, minutes] = /([+-])(\d{2}):?(\d{2})?/.exec(text ?? "") ?? [];
  if (sign === undefined) return 0;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes ?? 0) * 60);
}
