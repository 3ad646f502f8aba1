/** Who does the daemon's duties, and every process heard of in the last minute. */
import { Fragment } from "react";

import { Empty } from "../../kit/Empty";
import { ErrorPanel } from "../../kit/ErrorPanel";
import { Section } from "../../kit/Page";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Duration, Time } from "../../kit/Time";
import type { Duty, Process } from "../../services/deployment";
import { dutyName } from "../overview/Attention";
import css from "./Deployment.module.css";

interface ProcessesProps {
  duties: readonly Duty[];
  processes: readonly Process[];
}

/** Where a duty is done: the names of its holders, told as the processes below are. */
function holdersOf({ holder }: Duty, processes: readonly Process[]): string {
  if (holder === null) return "nobody";
  const names = holder.split(", ").map((name) => {
    const found = processes.find(({ id }) => id === name);
    return found === undefined ? name : `${found.kind} ${found.pid} on ${found.host}`;
  });
  return names.join(", ");
}

const dutyColumns = (processes: readonly Process[]): readonly Column<Duty>[] => [
  { id: "duty", label: "Duty", width: "240px", render: (duty) => dutyName(duty.daemonType) },
  {
    id: "status",
    label: "Status",
    width: "150px",
    render: (duty) =>
      duty.healthy === null ? <StatusTag status="WAITING" label="Not known" /> : <StatusTag status={duty.healthy ? "HEALTHY" : "UNHEALTHY"} />,
  },
  { id: "holder", label: "Done by", wraps: true, render: (duty) => holdersOf(duty, processes) },
  { id: "beat", label: "Last sign of life", width: "180px", render: (duty) => <Time at={duty.lastHeartbeatTime} relative /> },
];

const PROCESS_COLUMNS: readonly Column<Process>[] = [
  { id: "kind", label: "Process", width: "120px", render: (process) => process.kind, sortBy: (process) => process.kind },
  { id: "host", label: "Host", width: "14%", render: (process) => <span title={process.host}>{process.host}</span>, sortBy: (process) => process.host },
  { id: "pid", label: "Id", width: "76px", align: "right", render: (process) => process.pid },
  { id: "duties", label: "Duties", least: 260, wraps: true, render: (process) => process.duties.join(", ") },
  { id: "version", label: "Version", width: "84px", render: (process) => process.version },
  { id: "up", label: "Up for", width: "96px", align: "right", render: (process) => <Duration from={process.started} to={null} /> },
  { id: "seen", label: "Last seen", width: "100px", render: (process) => <Time at={process.seen} relative /> },
];

export function Processes({ duties, processes }: ProcessesProps) {
  const troubled = duties.filter((duty) => duty.lastHeartbeatErrors.length > 0);
  const broken = processes.filter((process) => process.error !== null);
  return (
    <>
      <Section title="Duties of the daemon">
        <div className={css.table}>
          <Table label="Duties of the daemon" columns={dutyColumns(processes)} rows={duties} rowKey={(duty) => duty.daemonType} />
        </div>
        {troubled.map((duty) => (
          <Fragment key={duty.daemonType}>
            {duty.lastHeartbeatErrors.map((error, index) => (
              <ErrorPanel key={index} error={error} title={dutyName(duty.daemonType)} />
            ))}
          </Fragment>
        ))}
      </Section>
      <Section title="Processes">
        {processes.length === 0 ? (
          <Empty title="No process has been heard of" icon="deployment">
            Processes tell of themselves every few seconds; those silent for a minute are left out.
          </Empty>
        ) : (
          <div className={css.table}>
            <Table label="Processes" columns={PROCESS_COLUMNS} rows={processes} rowKey={(process) => process.id} />
          </div>
        )}
        {broken.map((process) => (
          <p key={process.id} className={css.trouble}>
            <b>
              {process.kind} {process.pid}:
            </b>{" "}
            {process.error}
          </p>
        ))}
      </Section>
    </>
  );
}
