/**
 * Keys that do something on the page: single ones ("j", "/"), with control ("mod+k"), or two in a row ("g r"). Never
 * while writing in a field or while a dialog is open, unless with control. The newest registration of a key wins.
 */
import { useEffect, useRef } from "react";

import { preferences } from "./preferences";

export type Shortcuts = Record<string, () => void>;

const PREFIX_MS = 1_200;
const layers: { current: Shortcuts }[] = [];
let prefix = "";
let prefixTimer: ReturnType<typeof setTimeout> | null = null;

function find(keys: string): (() => void) | undefined {
  return layers.findLast((layer) => keys in layer.current)?.current[keys];
}

function startsOne(keys: string): boolean {
  return layers.some((layer) => Object.keys(layer.current).some((known) => known.startsWith(`${keys} `)));
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const mod = event.metaKey || event.ctrlKey;
  const target = event.target as HTMLElement;
  const writes = target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  if (!mod && (writes || target.closest("[role=dialog], [role=menu], [role=listbox]") !== null || !preferences().shortcuts)) return;
  const keys = (mod ? "mod+" : prefix) + (event.key.length === 1 && mod ? event.key.toLowerCase() : event.key);
  setPrefix("");
  const action = find(keys);
  if (action !== undefined) {
    event.preventDefault();
    action();
  } else if (!mod && startsOne(keys)) setPrefix(`${keys} `);
}

function setPrefix(value: string): void {
  prefix = value;
  if (prefixTimer !== null) clearTimeout(prefixTimer);
  prefixTimer = value === "" ? null : setTimeout(() => setPrefix(""), PREFIX_MS);
}

window.addEventListener("keydown", onKey);

/** Registers keys while the component is there. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const layer = useRef(shortcuts);
  useEffect(() => {
    layer.current = shortcuts;
  });
  useEffect(() => {
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, []);
}
