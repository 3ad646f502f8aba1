/** Which other steps wrote to a stream: asked for only when a reader stands before an empty one. */
import { useQuery } from "@tanstack/react-query";

import { ask, gql } from "../../services/gql";
import type { CapturedBeginningQuery, CapturedBeginningQueryVariables } from "../../services/schema.gen";
import type { Stream } from "./useCapturedText";

const BEGINNING = gql<CapturedBeginningQuery, CapturedBeginningQueryVariables>`
  query CapturedBeginning($logKey: [String!]!) {
    capturedLogs(logKey: $logKey, limit: 4) { stdout stderr }
  }
`;

const AT_ONCE = 6;
/** Enough to choose from. */
const ENOUGH = 5;
/** A run of thousands of steps is not asked about each. */
const MOST_ASKED = 30;

export interface Writers {
  /** Files with something in the stream, in the order of the steps; at most a handful. */
  files: readonly string[];
  /** Whether each file of the run was looked at. */
  isComplete: boolean;
}

/** Undefined until it is known, and when not `enabled`. */
export function useWriters(runId: string, files: readonly string[], stream: Stream, enabled: boolean): Writers | undefined {
  return useQuery({
    queryKey: ["CapturedBeginning", runId, files, stream],
    queryFn: ({ signal }) => writersOf(runId, files, stream, signal),
    enabled,
  }).data;
}

async function writersOf(runId: string, files: readonly string[], stream: Stream, signal: AbortSignal): Promise<Writers> {
  const found: string[] = [];
  let asked = 0;
  while (asked < Math.min(files.length, MOST_ASKED) && found.length < ENOUGH) {
    const some = files.slice(asked, Math.min(asked + AT_ONCE, MOST_ASKED));
    const answers = await Promise.all(some.map((file) => ask(BEGINNING, { logKey: [runId, "compute_logs", file] }, signal)));
    found.push(...some.filter((_, index) => (answers[index]!.capturedLogs[stream] ?? "") !== ""));
    asked += some.length;
  }
  return { files: found.slice(0, ENOUGH), isComplete: asked >= files.length };
}
