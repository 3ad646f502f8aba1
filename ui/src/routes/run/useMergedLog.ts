/** Events and output of a run as one stream. */
import { unwrap } from "../../services/errors";
import { type Followed, useFollowed } from "../../services/followed";
import { ask } from "../../services/gql";
import { MERGED_LOG, type MergedEntry, outputTopic, runTopic } from "../../services/runs";
import type { LogFilter } from "./eventLog.model";

const PAGE = 1_000;
const AT_ONCE = 50_000;

/** `runId` null: nobody looks. Of the filter, steps and text count. */
export function useMergedLog(runId: string | null, filter: LogFilter): Followed<MergedEntry> {
  const topics = runId === null ? [] : [runTopic(runId), outputTopic(runId)];
  const key = runId === null ? null : JSON.stringify([runId, filter]);
  return useFollowed(key, topics, AT_ONCE, async (cursor) => {
    const answer = await ask(MERGED_LOG, {
      runId: runId ?? "",
      cursor,
      limit: PAGE,
      steps: filter.steps.length > 0 ? [...filter.steps] : null,
      text: filter.text === "" ? null : filter.text,
    });
    const page = unwrap(answer.mergedLogs, "MergedLogs");
    return { items: page.entries, cursor: page.cursor, hasMore: page.hasMore };
  });
}
