/** Instants and durations as text. Instants are seconds since the epoch; zones are IANA names. Pure. */

export interface TimeStyle {
  zone: string;
  hourCycle: "24" | "12";
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(style: TimeStyle, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const options: Intl.DateTimeFormatOptions = {
    ...parts,
    timeZone: style.zone,
    ...(parts.hour === undefined ? {} : { hourCycle: style.hourCycle === "24" ? "h23" : "h12" }),
  };
  const key = JSON.stringify(options);
  let found = formatters.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", options);
    formatters.set(key, found);
  }
  return found;
}

/** "23 Nov, 14:05" this year, "23 Nov 2025, 14:05" in others; when `precise`, "23 Nov, 14:05:09". */
export function shortTime(seconds: number, now: number, style: TimeStyle, precise = false): string {
  const date = new Date(seconds * 1000);
  const sameYear = yearIn(seconds, style) === yearIn(now, style);
  return formatter(style, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    ...(precise ? { second: "2-digit" } : {}),
  }).format(date);
}

function yearIn(seconds: number, style: TimeStyle): string {
  return formatter(style, { year: "numeric" }).format(new Date(seconds * 1000));
}

/** "Mon 23 November 2026, 14:05:09 GMT+1". */
export function longTime(seconds: number, style: TimeStyle): string {
  return formatter(style, {
    weekday: "short",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(new Date(seconds * 1000));
}

/** "14:05:09.123". */
export function clockTime(seconds: number, style: TimeStyle): string {
  return formatter(style, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  }).format(new Date(seconds * 1000));
}

/** "14:05". */
export function minuteTime(seconds: number, style: TimeStyle): string {
  return formatter(style, { hour: "2-digit", minute: "2-digit" }).format(new Date(seconds * 1000));
}

/** "23 Nov". */
export function dayOf(seconds: number, style: TimeStyle): string {
  return formatter(style, { day: "numeric", month: "short" }).format(new Date(seconds * 1000));
}

const STEPS: [limit: number, size: number, unit: string][] = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [Number.POSITIVE_INFINITY, 86_400, "d"],
];

/** "just now", "12 s ago", "in 3 min". */
export function relativeTime(seconds: number, now: number): string {
  const distance = Math.abs(now - seconds);
  if (distance < 2) return "just now";
  const [, size, unit] = STEPS.find(([limit]) => distance < limit)!;
  const text = `${Math.floor(distance / size)} ${unit}`;
  return seconds > now ? `in ${text}` : `${text} ago`;
}

/** "4 ms", "1.2 s", "2:05 min", "1:02:03 h", "2 d 03 h". */
export function durationText(seconds: number): string {
  if (seconds < 0) return "0 ms";
  if (seconds < 0.0005 && seconds > 0) return "< 1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)} h`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** The wall time of an instant as a field for dates and times has it: "2026-11-29T14:05". */
export function wallTime(seconds: number, zone: string): string {
  const parts = new Map(formatter({ zone, hourCycle: "24" }, WALL).formatToParts(new Date(seconds * 1000)).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? "";
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

const WALL: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };

/**
 * The instant of a wall time, in seconds; null for a text that is none.
 *
 * A time that the zone's clocks skip is the first instant after the gap, one that they repeat is the earlier of the two.
 */
export function instantOf(text: string, zone: string): number | null {
  const asUtc = Date.parse(`${text}Z`) / 1000;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) || Number.isNaN(asUtc)) return null;
  const offsetAt = (seconds: number) => Date.parse(`${wallTime(seconds, zone)}Z`) / 1000 - Math.floor(seconds / 60) * 60;
  // The offsets of a day before and after are the only two that the time may have.
  const candidates = [offsetAt(asUtc - 86_400), offsetAt(asUtc + 86_400)].map((offset) => asUtc - offset);
  const real = candidates.filter((seconds) => wallTime(seconds, zone) === text);
  if (real.length > 0) return Math.min(...real);
  let [before, after] = [Math.min(...candidates), Math.max(...candidates)];
  while (after - before > 60) {
    const middle = Math.floor((before + after) / 120) * 60;
    if (wallTime(middle, zone) < text) before = middle;
    else after = middle;
  }
  return after;
}
