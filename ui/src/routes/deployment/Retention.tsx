/** How long things are kept: the rule, what there is, and what goes next, as of the daemon's last look. */
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { type Column, Table } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { useData } from "../../services/data";
import { type KeptKind, RETENTION } from "../../services/retention";
import { bytesText } from "../../services/size.model";
import css from "./Deployment.module.css";
import { amountText, kindName, workText } from "./retention.model";

export function Retention() {
  const answer = useData(RETENTION, {}, { live: ["retention"] });
  if (answer.isError) {
    return (
      <Section>
        <Failure title="What is kept could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
      </Section>
    );
  }
  if (answer.data === undefined) return <Skeleton />;
  const report = answer.data.instance.retention;
  if (report === null) {
    return (
      <Section>
        <Empty title="Nobody has looked yet" icon="deployment">
          The daemon looks when it starts, and once an hour.
        </Empty>
      </Section>
    );
  }
  const isDone = report.doneTimestamp !== null;
  return (
    <Section title="What is kept, and for how long">
      <div className={css.table}>
        <Table label="What is kept" columns={columns(isDone)} rows={report.kinds} rowKey={({ kind }) => kind} />
      </div>
      <p className={css.hint}>
        As of <Time at={report.doneTimestamp ?? report.lookedTimestamp} relative />
        {isDone ? ". " : "; the daemon is removing what is too old. "}
        The block <code>retention</code> of penstock.yaml sets the rules. The history of assets stays in any case, and so does what a run needs that has not
        ended.
      </p>
    </Section>
  );
}

function columns(isDone: boolean): readonly Column<KeptKind>[] {
  return [
    { id: "kind", label: "What", width: "150px", render: ({ kind }) => kindName(kind) },
    { id: "rule", label: "Kept for", least: 350, render: ({ rule }) => <span title={rule}>{rule}</span> },
    { id: "oldest", label: "Oldest", width: "110px", render: ({ oldestTimestamp }) => <Time at={oldestTimestamp} relative /> },
    { id: "rows", label: "How many", width: "130px", align: "right", render: ({ rows }) => amountText(rows) },
    { id: "size", label: "Size", width: "90px", align: "right", render: ({ bytes }) => (bytes === null ? "–" : bytesText(bytes)) },
    { id: "next", label: "Next goes", width: "120px", render: ({ nextTimestamp }) => <Time at={nextTimestamp} /> },
    { id: "work", label: "Last look", width: "150px", render: (kind) => workText(kind, isDone) },
  ];
}
