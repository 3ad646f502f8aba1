/** What a step wrote to stdout and stderr, as lines; grows while the step writes. */
import { useEffect, useRef, useState } from "react";

import { useCoalesced } from "../../services/data";
import { ask, gql } from "../../services/gql";
import { useLive } from "../../services/live";
import { outputTopic, runTopic } from "../../services/runs";
import type { CapturedTextQuery, CapturedTextQueryVariables } from "../../services/schema.gen";
import { afterReturns } from "./ansi.model";

const CAPTURED = gql<CapturedTextQuery, CapturedTextQueryVariables>`
  query CapturedText($logKey: [String!]!, $cursor: String, $limit: Int) {
    capturedLogs(logKey: $logKey, cursor: $cursor, limit: $limit) { stdout stderr cursor }
  }
`;

export type Stream = "stdout" | "stderr";

export interface CapturedText {
  lines: Record<Stream, readonly string[]>;
  isLoading: boolean;
  error: unknown;
}

const BYTES_AT_ONCE = 512_000;
const MOST_LINES = 200_000;

interface Read {
  key: string;
  /** Whole lines, then the last one, which may still grow. */
  lines: Record<Stream, string[]>;
  cursor: string | null;
  settled: boolean;
  error: unknown;
}

const emptyRead = (key: string): Read => ({
  key,
  lines: { stdout: [""], stderr: [""] },
  cursor: null,
  settled: false,
  error: null,
});

/** `fileKey` null: nothing was captured (yet). */
export function useCapturedText(runId: string, fileKey: string | null): CapturedText {
  const key = `${runId}/${fileKey ?? ""}`;
  const [read, setRead] = useState<Read>(() => emptyRead(key));
  const current = useRef(read);
  const advance = useCoalesced(async () => {
    if (fileKey === null) return;
    for (;;) {
      const before = current.current;
      const after = await readOn(runId, fileKey, before);
      if (current.current !== before) continue; // another file was chosen meanwhile
      current.current = after;
      setRead(after);
      if (after.settled || after.error !== null) return;
    }
  });
  useEffect(() => {
    current.current = emptyRead(key);
    setRead(current.current);
    advance();
  }, [key, advance]);
  useLive(fileKey === null ? [] : [outputTopic(runId), runTopic(runId)], advance);

  const shown = read.key === key ? read : emptyRead(key);
  return {
    lines: { stdout: shownLines(shown.lines.stdout), stderr: shownLines(shown.lines.stderr) },
    isLoading: fileKey !== null && !shown.settled && shown.error === null,
    error: shown.error,
  };
}

function shownLines(lines: string[]): readonly string[] {
  const last = afterReturns(lines.at(-1) ?? "", true);
  return last === "" ? lines.slice(0, -1) : [...lines.slice(0, -1), last];
}

async function readOn(runId: string, fileKey: string, before: Read): Promise<Read> {
  try {
    const { capturedLogs } = await ask(CAPTURED, {
      logKey: [runId, "compute_logs", fileKey],
      cursor: before.cursor,
      limit: BYTES_AT_ONCE,
    });
    const { stdout, stderr, cursor } = capturedLogs;
    const lines = { stdout: grown(before.lines.stdout, stdout), stderr: grown(before.lines.stderr, stderr) };
    const settled = (stdout ?? "") === "" && (stderr ?? "") === "";
    return { key: before.key, lines, cursor, settled, error: null };
  } catch (error) {
    return { ...before, error };
  }
}

function grown(lines: string[], text: string | null): string[] {
  if (text === null || text === "") return lines;
  const pieces = text.split("\n");
  const joined = [...lines.slice(0, -1), (lines.at(-1) ?? "") + pieces[0]!, ...pieces.slice(1)];
  const last = joined.length - 1;
  const clean = joined.map((line, index) => (line.includes("\r") ? afterReturns(line, index < last) : line));
  return clean.length > MOST_LINES ? clean.slice(-MOST_LINES) : clean;
}
