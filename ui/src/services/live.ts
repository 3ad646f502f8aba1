/** What pages use of the live stream: being told of changes, and whether changes arrive at all. */
import { useEffect, useRef, useSyncExternalStore } from "react";

import { serverUrl } from "./bootstrap";
import { type Change, LiveClient, type LiveState } from "./liveClient";

export type { Change, LiveState } from "./liveClient";

const client = new LiveClient({
  fetch: (path, init) => fetch(serverUrl(path), init),
  isHidden: () => document.hidden,
});
document.addEventListener("visibilitychange", () => client.visibilityChanged());
window.addEventListener("online", () => client.retryNow());

/** Calls `onChange` when one of the topics changed, and after a gap in the stream. An empty list listens to nothing. */
export function useLive(topics: readonly string[], onChange: (change: Change) => void): void {
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  const key = topics.join(" ");
  useEffect(() => {
    if (key === "") return undefined;
    return client.subscribe(key.split(" "), (change) => latest.current(change));
  }, [key]);
}

/** Whether changes arrive. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(client.watchState, client.currentState);
}

/** The version of the server that the stream comes from; null before the first one. */
export function useServerVersion(): string | null {
  return useSyncExternalStore(client.watchState, client.currentVersion);
}
