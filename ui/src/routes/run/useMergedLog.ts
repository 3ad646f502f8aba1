/** Events and output of a run as one stream: read page by page from the start, then grown by what is pushed. */
import { useEffect, useRef, useState } from "react";

import { useCoalesced } from "../../services/data";
import { unwrap } from "../../services/errors";
import { ask } from "../../services/gql";
import { useLive } from "../../services/live";
import { MERGED_LOG, type MergedEntry, outputTopic, runTopic } from "../../services/runs";
import type { LogFilter } from "./eventLog.model";

const PAGE = 1_000;
const AT_ONCE = 50_000;

export interface MergedLogRead {
  entries: readonly MergedEntry[];
  isLoading: boolean;
  error: unknown;
  /** There are more than are read without being asked to; this reads on. */
  readOn: (() => void) | null;
}

interface Read {
  key: string;
  entries: MergedEntry[];
  cursor: string | null;
  complete: boolean;
  error: unknown;
}

const emptyRead = (key: string): Read => ({ key, entries: [], cursor: null, complete: false, error: null });

/** `runId` null: nobody looks. Of the filter, steps and text count. */
export function useMergedLog(runId: string | null, filter: LogFilter): MergedLogRead {
  const key = JSON.stringify([runId, filter.steps, filter.text]);
  const [read, setRead] = useState<Read>(() => emptyRead(key));
  const [allowed, setAllowed] = useState(AT_ONCE);
  const current = useRef(read);
  const limit = useRef(allowed);
  limit.current = allowed;

  const advance = useCoalesced(async () => {
    if (runId === null) return;
    for (;;) {
      const before = current.current;
      if (before.entries.length >= limit.current) return;
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
  useLive(runId === null ? [] : [runTopic(runId), outputTopic(runId)], advance);

  const shown = read.key === key ? read : emptyRead(key);
  const held = !shown.complete && shown.entries.length >= allowed;
  return {
    entries: shown.entries,
    isLoading: runId !== null && !shown.complete && shown.error === null && !held,
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

async function readPage(runId: string, filter: LogFilter, before: Read): Promise<Read> {
  try {
    const answer = await ask(MERGED_LOG, {
      runId,
      cursor: before.cursor,
      limit: PAGE,
      steps: filter.steps.length > 0 ? [...filter.steps] : null,
      text: filter.text === "" ? null : filter.text,
    });
    const page = unwrap(answer.mergedLogs, "MergedLogs");
    const entries = page.entries.length === 0 ? before.entries : [...before.entries, ...page.entries];
    return { key: before.key, entries, cursor: page.cursor, complete: !page.hasMore, error: null };
  } catch (error) {
    return { ...before, error };
  }
}
