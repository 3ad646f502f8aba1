/** Instants and durations, in the reader's zone; running ones move by one timer shared by the whole page. */
import { useSyncExternalStore } from "react";

import { usePreferences, zoneOf } from "../services/preferences";
import { durationText, longTime, relativeTime, shortTime, type TimeStyle } from "../services/time.model";

const watchers = new Set<() => void>();
let now = Date.now() / 1000;
let timer: ReturnType<typeof setInterval> | null = null;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    if (document.hidden) return;
    now = Date.now() / 1000;
    for (const each of watchers) each();
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
}

const still = () => () => undefined;

/** Seconds since the epoch, renewed every second; when not `moving`, of the moment of reading. */
export function useNow(moving = true): number {
  return useSyncExternalStore(moving ? watch : still, () => (moving && timer !== null ? now : Math.floor(Date.now() / 1000)));
}

/** The zone and clock that the reader chose. */
export function useTimeStyle(): TimeStyle {
  const chosen = usePreferences();
  return { zone: zoneOf(chosen), hourCycle: chosen.hourCycle };
}

interface TimeProps {
  /** Seconds since the epoch. */
  at: number | null | undefined;
  /** "12 s ago" in place of the instant. */
  relative?: boolean;
  /** With seconds. */
  precise?: boolean;
}

/** An instant; on hover in full, with its zone and in UTC. */
export function Time({ at, relative = false, precise = false }: TimeProps) {
  const style = useTimeStyle();
  const moment = useNow(relative);
  if (at === null || at === undefined) return <>–</>;
  const full = `${longTime(at, style)}\n${longTime(at, { zone: "UTC", hourCycle: "24" })}\n${relativeTime(at, moment)}`;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={full}>
      {relative ? relativeTime(at, moment) : shortTime(at, moment, style, precise)}
    </time>
  );
}

interface DurationProps {
  /** Seconds since the epoch; null: not begun. */
  from: number | null | undefined;
  /** Seconds since the epoch; null: still going on. */
  to: number | null | undefined;
}

/** How long something took, or has taken so far. */
export function Duration({ from, to }: DurationProps) {
  const running = from !== null && from !== undefined && (to === null || to === undefined);
  const moment = useNow(running);
  if (from === null || from === undefined) return <>–</>;
  return <span>{durationText((to ?? Math.max(moment, from)) - from)}</span>;
}
