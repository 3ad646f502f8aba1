/** What people did: who, when, to what, and why. */
import { Link } from "../kit/Link";
import { type Column, Table } from "../kit/Table";
import { Time, useTimeStyle } from "../kit/Time";
import { links } from "../links";
import type { OperatorAct } from "../services/automation";
import { shortId } from "../services/run.model";
import { shortTime } from "../services/time.model";
import { actWords, subjectOf } from "./override.model";

interface ActsProps {
  acts: readonly OperatorAct[];
  /** The acts are of several things, each of which is told. */
  ofAll?: boolean;
  stale?: boolean;
}

export function Acts({ acts, ofAll = false, stale = false }: ActsProps) {
  const style = useTimeStyle();
  const now = Date.now() / 1000;
  const columns: Column<OperatorAct>[] = [
    { id: "when", label: "When", width: "140px", render: ({ timestamp }) => <Time at={timestamp} /> },
    { id: "who", label: "Who", width: "130px", render: ({ actor }) => actor ?? "somebody" },
    ...(ofAll ? [{ id: "subject", label: "To", width: "24%", render: ({ subject }: OperatorAct) => <SubjectLink subject={subject} /> }] : []),
    {
      id: "what",
      label: "What",
      least: 200,
      render: (act) => {
        const words = actWords(act, (seconds) => shortTime(seconds, now, style));
        return <span title={words}>{words}</span>;
      },
    },
    { id: "why", label: "Why", width: "28%", render: ({ reason }) => <span title={reason ?? ""}>{reason ?? ""}</span> },
  ];
  return <Table label="What people did" columns={columns} rows={acts} rowKey={({ id }) => id} stale={stale} />;
}

/** What is of no code location: `kind/name`. */
function ThingLink({ subject }: { subject: string }) {
  const [kind, ...parts] = subject.split("/");
  const name = parts.join("/");
  if (kind === "run") return <Link to={links.run(name)}>run {shortId(name)}</Link>;
  if (kind === "backfill") return <Link to={links.backfill(name)}>backfill {shortId(name)}</Link>;
  if (kind === "asset") return <Link to={links.asset(parts)}>asset {name}</Link>;
  return <span title={subject}>{name === "" ? kind : `${kind} ${name}`}</span>;
}

function SubjectLink({ subject }: { subject: string }) {
  const found = subjectOf(subject);
  if (found === null) return <ThingLink subject={subject} />;
  const { kind, location, name } = found;
  if (kind === "one-off") return <Link to={links.automation({ tab: "once" })}>run {shortId(name)} at a time</Link>;
  return <Link to={kind === "schedule" ? links.schedule(location, name) : links.sensor(location, name)}>{name}</Link>;
}
