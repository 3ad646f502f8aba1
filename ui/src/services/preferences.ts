/** What a reader chose for this browser: theme, time zone, clock, row height, shortcuts. */
import { useSyncExternalStore } from "react";

export interface Preferences {
  theme: "system" | "light" | "dark";
  /** "browser", or an IANA zone such as "UTC" or "Europe/Berlin". */
  timeZone: string;
  hourCycle: "24" | "12";
  density: "comfortable" | "compact";
  shortcuts: boolean;
  navigation: "open" | "folded";
}

const KEY = "penstock.preferences";
const DEFAULTS: Preferences = {
  theme: "system",
  timeZone: "browser",
  hourCycle: "24",
  density: "comfortable",
  shortcuts: true,
  navigation: "open",
};

const watchers = new Set<() => void>();
let current = load();

function load(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    return DEFAULTS; // storage is barred or holds something else: the defaults serve
  }
}

function apply(): void {
  const root = document.documentElement;
  if (current.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = current.theme;
  root.dataset.density = current.density;
}

export function preferences(): Preferences {
  return current;
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  apply();
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // The choice then lasts as long as the page.
  }
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(watch, preferences);
}

/** The zone in which times are shown. */
export function zoneOf({ timeZone }: Preferences): string {
  return timeZone === "browser" ? Intl.DateTimeFormat().resolvedOptions().timeZone : timeZone;
}

window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  current = load();
  apply();
  for (const watcher of watchers) watcher();
});
apply();
