/** What one cell of the grid of steps by runs says. Pure. */
import type { StepEventStatus } from "../../services/schema.gen";

interface Stat {
  readonly stepKey: string;
  readonly status: StepEventStatus | null;
}

/** A step that ran once for each mapped value says the first of these that any of its values came to. */
const WORST_FIRST: readonly StepEventStatus[] = ["FAILURE", "IN_PROGRESS", "SUCCESS", "SKIPPED"];

/** The status of each step of a run; `charge[order_7]` counts for `charge`. */
export function stepStatuses(stats: readonly Stat[]): Map<string, StepEventStatus> {
  const found = new Map<string, StepEventStatus>();
  for (const { stepKey, status } of stats) {
    if (status === null) continue;
    const step = stepKey.replace(/\[.*\]$/, "");
    const known = found.get(step);
    if (known === undefined || WORST_FIRST.indexOf(status) < WORST_FIRST.indexOf(known)) found.set(step, status);
  }
  return found;
}
