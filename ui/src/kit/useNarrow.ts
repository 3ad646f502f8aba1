/** Whether the window is as narrow as a phone's. */
import { useSyncExternalStore } from "react";

const narrow = window.matchMedia("(width < 720px)");

function watch(watcher: () => void): () => void {
  narrow.addEventListener("change", watcher);
  return () => narrow.removeEventListener("change", watcher);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => narrow.matches);
}
