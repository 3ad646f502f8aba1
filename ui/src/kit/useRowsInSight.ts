/** Follows which rows of a long table are in sight, whatever around it scrolls. */
import { type RefObject, useCallback, useLayoutEffect, useState } from "react";

import { type RowsInSight, rowsInSight } from "./table.model";

/** Until the first row was measured. */
const GUESS = { rowPx: 32, top: 0, seenPx: 1000 };

interface Followed extends RowsInSight {
  /** Looks anew: what was scrolled just now is not known yet. */
  look: () => void;
}

export function useRowsInSight(body: RefObject<HTMLTableSectionElement | null>, count: number): Followed {
  const [{ rowPx, top, seenPx }, setSight] = useState(GUESS);
  const look = useCallback(() => {
    const place = body.current;
    const row = place?.querySelector("tr[aria-rowindex]");
    if (!place || !row) return;
    const seen = {
      rowPx: row.getBoundingClientRect().height || GUESS.rowPx,
      top: Math.max(0, -place.getBoundingClientRect().top),
      seenPx: window.innerHeight,
    };
    setSight((before) => (sameRows(before, seen, count) ? before : seen));
  }, [body, count]);
  useLayoutEffect(() => {
    look();
    // Scrolling is heard of from any ancestor only on its way down.
    window.addEventListener("scroll", look, { capture: true, passive: true });
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look, { capture: true });
      window.removeEventListener("resize", look);
    };
  }, [look]);
  return { ...rowsInSight(count, rowPx, top, seenPx), look };
}

function sameRows(before: typeof GUESS, seen: typeof GUESS, count: number): boolean {
  const [one, other] = [before, seen].map((each) => rowsInSight(count, each.rowPx, each.top, each.seenPx));
  return before.rowPx === seen.rowPx && one!.from === other!.from && one!.to === other!.to;
}
