/** The lower half of a run's page: the structured log, or a step's own output, with what narrows them. */
import { useEffect, useMemo, useRef, useState } from "react";

import { IconButton } from "../../kit/Button";
import { cx } from "../../kit/cx";
import { Icon } from "../../kit/Icon";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { links } from "../../links";
import { serverUrl } from "../../services/bootstrap";
import type { SearchState } from "../../services/navigation";
import { hasEnded, type RunDetail } from "../../services/runs";
import { EventLog } from "./EventLog";
import { readLogFilter } from "./eventLog.model";
import css from "./Log.module.css";
import { MergedLog } from "./MergedLog";
import { RawOutput } from "./RawOutput";
import { type Stream, useCapturedText } from "./useCapturedText";
import { useMergedLog } from "./useMergedLog";
import { useRunEvents } from "./useRunEvents";

const SOURCES = [
  { id: "all", label: "All" },
  { id: "events", label: "Events" },
  { id: "stdout", label: "stdout" },
  { id: "stderr", label: "stderr" },
] as const;

const LEVELS = [
  { value: "", label: "All levels" },
  { value: "INFO", label: "Info and up" },
  { value: "WARNING", label: "Warnings and up" },
  { value: "ERROR", label: "Errors" },
];

const TYPING_MS = 250;

interface LogPaneProps {
  run: RunDetail;
  search: SearchState;
  onSearch: (change: SearchState) => void;
}

export function LogPane({ run, search, onSearch }: LogPaneProps) {
  const source = SOURCES.find(({ id }) => id === search.src)?.id ?? "events";
  const isOfRun = source === "events" || source === "all";
  const filter = readLogFilter(search);
  const [follow, setFollow] = useState(!hasEnded(run.status));
  const [wrap, setWrap] = useState(false);
  const [text, setText] = useTyped(filter.text, (q) => onSearch({ q }));
  const log = useRunEvents(run.runId, filter);
  const merged = useMergedLog(source === "all" ? run.runId : null, filter);

  const files = run.capturedLogKeys;
  const wanted = search.file ?? filter.steps[0] ?? run.failure?.stepKey ?? null;
  const file = files.find((each) => each.fileKey === wanted || (wanted !== null && each.stepKeys.includes(wanted))) ?? files[0] ?? null;
  const fileKeys = useMemo(() => files.map(({ fileKey }) => fileKey), [files]);
  const captured = useCapturedText(run.runId, isOfRun ? null : (file?.fileKey ?? null));

  return (
    <section className={css.pane} aria-label="Log">
      <div className={css.bar}>
        <div className={css.sources} role="group" aria-label="What to show">
          {SOURCES.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              className={cx(css.source, source === id && css.active)}
              aria-pressed={source === id}
              onClick={() => onSearch({ src: id === "events" ? "" : id, event: "" })}
            >
              {label}
            </button>
          ))}
        </div>
        <TextInput
          className={css.find}
          label={source === "events" ? "Find in the messages" : source === "all" ? "Find in the log" : "Find in the output"}
          hideLabel
          icon="search"
          placeholder={source === "events" ? "Find in messages" : source === "all" ? "Find in all" : "Find in output"}
          value={text}
          onChange={setText}
        />
        {source === "events" ? (
          <SelectInput
            label="Level"
            hideLabel
            value={search.level ?? ""}
            options={LEVELS}
            onChange={(level) => onSearch({ level })}
          />
        ) : !isOfRun && files.length > 0 ? (
          <SelectInput
            label="Step"
            hideLabel
            value={file?.fileKey ?? ""}
            options={files.map((each) => ({ value: each.fileKey, label: each.fileKey }))}
            onChange={(fileKey) => onSearch({ file: fileKey })}
          />
        ) : null}
        {isOfRun ? <StepChips steps={filter.steps} onSteps={(steps) => onSearch({ steps: steps.join(",") })} /> : null}
        <span className={css.space} />
        {isOfRun ? (
          <>
            <span className={css.amount}>{source === "all" ? amountOf(merged.items.length, "line") : amountOf(log.items.length, "event")}</span>
            <IconButton
              icon="follow"
              label={follow ? "Following the end" : "Follow the end"}
              className={cx(follow && css.on)}
              onPress={() => setFollow(!follow)}
            />
          </>
        ) : (
          <>
            <span className={css.amount}>{amountOf(captured.lines[source as Stream].length, "line")}</span>
            <IconButton icon="wrap" label={wrap ? "Do not wrap lines" : "Wrap lines"} className={cx(wrap && css.on)} onPress={() => setWrap(!wrap)} />
            {file === null ? null : (
              <a className={css.download} href={serverUrl(links.capturedFile(run.runId, file.fileKey, source as Stream))} download aria-label="Download" title="Download">
                <Icon name="download" size={15} />
              </a>
            )}
          </>
        )}
      </div>
      {source === "all" ? (
        <MergedLog
          log={merged}
          onEvent={(event) => onSearch({ src: "", event })}
          onStep={(step) => onSearch({ steps: step })}
          follow={follow}
          onFollow={setFollow}
          isFiltered={filter.steps.length > 0 || filter.text !== ""}
          isKept={run.logKept}
        />
      ) : source === "events" ? (
        <EventLog
          log={log}
          open={search.event ?? null}
          onOpen={(event) => onSearch({ event: event ?? "" })}
          onStep={(step) => onSearch({ steps: step })}
          follow={follow}
          onFollow={setFollow}
          isFiltered={filter.steps.length > 0 || filter.level !== null || filter.text !== ""}
          isKept={run.logKept}
        />
      ) : (
        <RawOutput
          runId={run.runId}
          text={captured}
          stream={source as Stream}
          file={file?.fileKey ?? null}
          files={fileKeys}
          onFile={(fileKey) => onSearch({ file: fileKey })}
          onStream={(stream) => onSearch({ src: stream })}
          find={filter.text}
          wrap={wrap}
        />
      )}
    </section>
  );
}

function amountOf(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

interface StepChipsProps {
  steps: readonly string[];
  onSteps: (steps: readonly string[]) => void;
}

const CHIPS_SHOWN = 3;

function StepChips({ steps, onSteps }: StepChipsProps) {
  const shown = steps.slice(0, CHIPS_SHOWN);
  return (
    <>
      {shown.map((step) => (
        <Removable key={step} label={step} onRemove={() => onSteps(steps.filter((other) => other !== step))} />
      ))}
      {steps.length > shown.length ? (
        <Removable label={`${steps.length - shown.length} more steps`} onRemove={() => onSteps(shown)} />
      ) : null}
    </>
  );
}

function Removable({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <span className={css.chip}>
      {label}
      <button type="button" aria-label={`Remove ${label}`} onClick={onRemove}>
        <Icon name="close" size={11} />
      </button>
    </span>
  );
}

/** A text that is taken over when typing pauses. */
function useTyped(value: string, onTyped: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  return [
    text,
    (typed) => {
      setText(typed);
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        told.current = typed;
        onTyped(typed);
      }, TYPING_MS);
    },
  ];
}
