/** Theme colours in the form that a canvas understands, read anew whenever the theme changes. */

import { useSyncExternalStore } from "react";
import { usePreferences } from "../services/preferences";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const watch = (onChange: () => void) => {
  dark.addEventListener("change", onChange);
  return () => dark.removeEventListener("change", onChange);
};

const known = new Map<string, Readonly<Record<string, string>>>();

/** The computed value of each token, by its name without the dashes: a canvas knows no `var()` and no `light-dark()`. */
export function useCanvasColours<Name extends string>(names: readonly Name[]): Readonly<Record<Name, string>> {
  const { theme } = usePreferences();
  const systemDark = useSyncExternalStore(watch, () => dark.matches);
  const key = `${theme} ${systemDark} ${names.join(" ")}`;
  let colours = known.get(key);
  if (!colours) {
    colours = readTokens(names);
    known.set(key, colours);
  }
  return colours as Readonly<Record<Name, string>>;
}

function readTokens(names: readonly string[]): Record<string, string> {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const entries = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries);
}
