/** Moving between pages, and a page's view state in its address. */
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

import { withSearch } from "../links";

export type SearchState = Record<string, string | undefined>;

/** Goes to one of the addresses that `links` makes. */
export function useGo(): (href: string, options?: { replace?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback((href, options) => void navigate({ href, replace: options?.replace ?? false }), [navigate]);
}

/** Loads the code of a page before it is gone to. */
export function usePreload(): (href: string) => void {
  const router = useRouter();
  return useCallback(
    (href) => {
      const path = href.split("?")[0]!;
      router.preloadRoute({ to: path }).catch((error: unknown) => console.warn(`Could not preload ${path}.`, error));
    },
    [router],
  );
}

/**
 * The search part of the address as text values, and a way to change some of them in place. Values that are undefined
 * or empty leave the address. Unknown values are the page's own to ignore.
 */
export function useSearchState(): [SearchState, (change: SearchState, options?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const state: SearchState = {};
  for (const [name, value] of Object.entries(search)) if (typeof value === "string") state[name] = value;
  const router = useRouter();
  const change = useCallback(
    (changed: SearchState, options?: { replace?: boolean }) => {
      const { pathname, search: old } = router.latestLocation;
      const next = { ...(old as SearchState), ...changed };
      void router.navigate({ href: withSearch(pathname, next), replace: options?.replace ?? true, resetScroll: false });
    },
    [router],
  );
  return [state, change];
}
