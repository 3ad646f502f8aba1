/** The events of a run's log that fit a filter. */
import { unwrap } from "../../services/errors";
import { type Followed, useFollowed } from "../../services/followed";
import { ask } from "../../services/gql";
import { RUN_EVENTS, type RunEvent, runTopic } from "../../services/runs";
import { levelsFrom, type LogFilter } from "./eventLog.model";

const PAGE = 1_000;
const AT_ONCE = 20_000;

export function useRunEvents(runId: string, filter: LogFilter): Followed<RunEvent> {
  return useFollowed(JSON.stringify([runId, filter]), [runTopic(runId)], AT_ONCE, async (cursor) => {
    const answer = await ask(RUN_EVENTS, {
      runId,
      after: cursor,
      limit: PAGE,
      steps: filter.steps.length > 0 ? [...filter.steps] : null,
      levels: levelsFrom(filter.level),
      text: filter.text === "" ? null : filter.text,
    });
    const page = unwrap(answer.logsForRun, "EventConnection");
    return { items: page.events, cursor: page.cursor, hasMore: page.hasMore };
  });
}
