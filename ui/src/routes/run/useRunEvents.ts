/** The events of a run's log that fit a filter: read page by page from the start, then grown by what is pushed. */
import { useEffect, useRef, useState } from "react";

import { useCoalesced } from "../../services/data";
import { unwrap } from "../../services/errors";
import { ask } from "../../services/gql";
import { useLive } from "../../services/live";
import { RUN_EVENTS, type RunEvent, runTopic } from "../../services/runs";
import { levelsFrom, type LogFilter } from "./eventLog.model";

const PAGE = 1_000;
const AT_ONCE = 20_000;

export interface RunEvents {
  events: readonly RunEvent[];
  isLoading: boolean;
  error: unknown;
  /** There are more than are read without being asked to; this reads on. */
  readOn: (() => void) | null;
}

interface Read {
  key: string;
  events: RunEvent[];
  cursor: string | null;
  complete: boolean;
  error: unknown;
}

export function useRunEvents(runId: string, filter: LogFilter): RunEvents {
  const key = JSON.stringify([runId, filter]);
  const [read, setRead] = useState<Read>(() => emptyRead(key));
  const [allowed, setAllowed] = useState(AT_ONCE);
  const current = useRef(read);
  const limit = useRef(allowed);
  limit.current = allowed;

  const advance = useCoalesced(async () => {
    for (;;) {
      const before = current.current;
      if (before.events.length >= limit.current) return;
      const after = await readPage(runId, filter, before);
      if (current.current !== before) continue; // the filter changed meanwhile: this page belongs to nobody
      current.current = after;
      setRead(after);
      if (after.complete || after.error !== null) return;
    }
  });
  useEffect(() => {
    current.current = emptyRead(key);
    setRead(current.current);
    setAllowed(AT_ONCE);
    advance();
  }, [key, advance]);
  useLive([runTopic(runId)], advance);

  const shown = read.key === key ? read : emptyRead(key);
  const held = !shown.complete && shown.events.length >= allowed;
  return {
    events: shown.events,
    isLoading: !shown.complete && shown.error === null && !held,
    error: shown.error,
    readOn: held
      ? () => {
          limit.current = allowed + AT_ONCE;
          setAllowed(limit.current);
          advance();
        }
      : null,
  };
}

function emptyRead(key: string): Read {
  return { key, events: [], cursor: null, complete: false, error: null };
}

async function readPage(runId: string, filter: LogFilter, before: Read): Promise<Read> {
  try {
    const answer = await ask(RUN_EVENTS, {
      runId,
      after: before.cursor,
      limit: PAGE,
      steps: filter.steps.length > 0 ? [...filter.steps] : null,
      levels: levelsFrom(filter.level),
      text: filter.text === "" ? null : filter.text,
    });
    const page = unwrap(answer.logsForRun, "EventConnection");
    const events = page.events.length === 0 ? before.events : [...before.events, ...page.events];
    return { key: before.key, events, cursor: page.cursor, complete: !page.hasMore, error: null };
  } catch (error) {
    return { ...before, error };
  }
}
