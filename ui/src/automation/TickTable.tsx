/** Ticks, newest first: when, what came of each, and for the chosen one its error, log lines and runs. */
import { useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Empty } from "../kit/Empty";
import { ErrorPanel } from "../kit/ErrorPanel";
import { Facts } from "../kit/Facts";
import { Link } from "../kit/Link";
import { Section } from "../kit/Page";
import { StatusDot, StatusTag } from "../kit/StatusTag";
import { Table } from "../kit/Table";
import { SelectInput } from "../kit/TextInput";
import { Duration, Time } from "../kit/Time";
import { links } from "../links";
import { type AutomationTick, TICK_BEFORE } from "../services/automation";
import { useData } from "../services/data";
import { useSearchState } from "../services/navigation";
import { shortId } from "../services/run.model";
import type { InstigationTickStatus } from "../services/schema.gen";
import { durationText } from "../services/time.model";
import css from "./automation.module.css";
import { foldSame, tickStatus, tickWords } from "./ticks.model";
import { TickStrip } from "./TickStrip";

export const TICKS_SHOWN = 60;

/** Which ticks the address asks for. */
export function useTickFilter(): { statuses: InstigationTickStatus[] | null; limit: number; showOlder: () => void } {
  const [{ only }] = useSearchState();
  const [limit, setLimit] = useState(TICKS_SHOWN);
  const statuses = CHOICES.find((choice) => choice.value === only)?.statuses ?? null;
  return { statuses, limit, showOlder: () => setLimit(limit * 3) };
}

const CHOICES: readonly { value: string; label: string; statuses: InstigationTickStatus[] | null }[] = [
  { value: "", label: "All ticks", statuses: null },
  { value: "runs", label: "Requested runs", statuses: ["SUCCESS"] },
  { value: "failed", label: "Failed", statuses: ["FAILURE"] },
  { value: "skipped", label: "Skipped", statuses: ["SKIPPED"] },
];

/**
 * The tick that the address names: one of those given, or else asked for by itself. A link may lead to an old one, and
 * one that a reader looks at is not taken away when newer ones come.
 */
function useOpenTick({ location, name, ticks }: Pick<TickTableProps, "location" | "name" | "ticks">): AutomationTick | undefined {
  const [{ tick = "" }] = useSearchState();
  const near = ticks.find(({ tickId }) => tickId === tick);
  const isFar = near === undefined && /^\d{1,15}$/.test(tick);
  const selector = { repositoryLocationName: location, name };
  const answer = useData(TICK_BEFORE, { selector, cursor: String(Number(tick) + 1) }, { enabled: isFar });
  const found = answer.data?.instigationStateOrError;
  const far = found?.__typename === "InstigationState" ? found.ticks[0] : undefined;
  return near ?? (isFar && far?.tickId === tick ? far : undefined);
}

interface TickTableProps {
  location: string;
  /** Of the schedule or sensor. */
  name: string;
  ticks: readonly AutomationTick[];
  limit: number;
  onOlder: () => void;
  isStale: boolean;
  /** Due times are told with seconds. */
  precise?: boolean;
}

export function TickTable({ location, name, ticks, limit, onOlder, isStale, precise = false }: TickTableProps) {
  const [{ only = "", tick }, setSearch] = useSearchState();
  const open = useOpenTick({ location, name, ticks });
  // Who asks for those of one kind wants to see each.
  const rows = only === "" ? foldSame(ticks) : ticks.map((each) => ({ tick: each, count: 1, since: each.timestamp }));
  return (
    <>
      <Section
        title="Ticks"
        actions={
          <SelectInput
            label="Which ticks"
            hideLabel
            value={only}
            onChange={(value) => setSearch({ only: value })}
            options={CHOICES.map(({ value, label }) => ({ value, label }))}
          />
        }
      >
        {ticks.length === 0 ? null : <TickStrip ticks={ticks} />}
      </Section>
      {ticks.length === 0 ? (
        <Empty title={only === "" ? "No ticks yet" : "No such ticks"} icon="automation">
          {only === "" ? "Each evaluation is listed here with what came of it." : "Choose other ticks above."}
        </Empty>
      ) : (
        <Table
          label="Ticks"
          stale={isStale}
          columns={[
            { id: "time", label: "Due", width: "160px", render: ({ tick: row }) => <Time at={row.timestamp} precise={precise} /> },
            {
              id: "status",
              label: "Result",
              width: "150px",
              render: ({ tick: row, count }) => (
                <StatusTag bare status={tickStatus(row.status)} label={count > 1 ? `${resultOf(row)} ${count} times` : resultOf(row)} />
              ),
            },
            {
              id: "words",
              label: "What it said",
              render: ({ tick: row, count, since }) => (
                <span className={css.said}>
                  <span title={tickWords(row)}>{tickWords(row)}</span>
                  {count > 1 ? (
                    <span className={css.since}>
                      since <Time at={since} precise={precise} />
                    </span>
                  ) : null}
                </span>
              ),
            },
            {
              id: "runs",
              label: "Runs",
              width: "240px",
              render: ({ tick: row }) => <Made tick={row} most={4} />,
            },
            {
              id: "late",
              label: "Late",
              width: "90px",
              align: "right",
              render: ({ tick: row }) => durationText(row.lateness),
            },
            {
              id: "took",
              label: "Took",
              width: "90px",
              align: "right",
              render: ({ tick: row }) => <Duration from={row.startTimestamp} to={row.endTimestamp} />,
            },
          ]}
          rows={rows}
          rowKey={(row) => row.tick.tickId}
          onRow={({ tick: { tickId } }) => setSearch({ tick: tickId === tick ? undefined : tickId })}
        />
      )}
      {ticks.length === limit ? (
        <p className={css.more}>
          <Button onPress={onOlder}>Show older</Button>
        </p>
      ) : null}
      {open ? <TickDialog tick={open} onClose={() => setSearch({ tick: undefined })} /> : null}
    </>
  );
}

function resultOf(tick: AutomationTick): string {
  if (tick.status !== "SUCCESS") return { STARTED: "Evaluating", SKIPPED: "Skipped", FAILURE: "Failed" }[tick.status];
  const runs = tick.runs.length === 1 ? "1 run" : `${tick.runs.length} runs`;
  if (tick.backfillId === null) return runs;
  return tick.runs.length === 0 ? "1 backfill" : `1 backfill, ${runs}`;
}

/** Links to the backfill and the runs that a tick made. */
function Made({ tick, most = tick.runs.length }: { tick: AutomationTick; most?: number }) {
  return (
    <>
      {tick.backfillId === null ? null : (
        <Link to={links.backfill(tick.backfillId)} className={css.run ?? ""}>
          backfill {shortId(tick.backfillId)}
        </Link>
      )}
      {tick.runs.slice(0, most).map((run) => (
        <Link key={run.runId} to={links.run(run.runId)} className={css.run ?? ""}>
          <StatusDot status={run.status} /> {shortId(run.runId)}
        </Link>
      ))}
    </>
  );
}

function TickDialog({ tick, onClose }: { tick: AutomationTick; onClose: () => void }) {
  return (
    <Dialog title="Tick" isOpen onClose={onClose} size="large">
      <div className={css.detail}>
        <Facts
          facts={[
            ["Due", <Time key="due" precise at={tick.timestamp} />],
            ["Result", <StatusTag key="result" bare status={tickStatus(tick.status)} label={resultOf(tick)} />],
            ["Begun", `${durationText(tick.lateness)} after it was due`],
            ["Took", <Duration key="took" from={tick.startTimestamp} to={tick.endTimestamp} />],
            ["Skipped because", tick.skipReason],
            ["Run keys", tick.runKeys.length === 0 ? null : tick.runKeys.join(", ")],
            ["Cursor after it", tick.cursor === null ? null : <code>{tick.cursor}</code>],
            [
              tick.backfillId === null ? "Runs" : "Made",
              tick.runs.length === 0 && tick.backfillId === null ? null : <Made key="made" tick={tick} />,
            ],
          ]}
        />
        {tick.error ? <ErrorPanel error={tick.error} title="The evaluation failed." /> : null}
        {tick.logs.length > 0 ? <pre className={css.logs}>{tick.logs.join("\n")}</pre> : null}
      </div>
    </Dialog>
  );
}
