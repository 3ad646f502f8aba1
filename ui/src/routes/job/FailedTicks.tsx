/** Failed ticks of what runs the job: runs that there would have been. */
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { useData } from "../../services/data";
import { JOB_FAILED_TICKS } from "../../services/jobs";
import type { JobFailedTicksQuery } from "../../services/schema.gen";

type Failed = Extract<JobFailedTicksQuery["pipelineOrError"], { __typename: "Pipeline" }>["failedTicks"][number];

const COLUMNS: readonly Column<Failed>[] = [
  { id: "status", label: "Status", width: "140px", render: () => <StatusTag bare status="FAILURE" label="Failed tick" /> },
  {
    id: "of",
    label: "Schedule or sensor",
    width: "24%",
    render: ({ instigationState: { name, instigationType, repositoryLocationName: location }, tick: { tickId } }) => (
      <Link to={(instigationType === "SCHEDULE" ? links.schedule : links.sensor)(location, name, { tick: tickId })}>{name}</Link>
    ),
  },
  { id: "due", label: "Due", width: "140px", render: ({ tick }) => <Time at={tick.timestamp} /> },
  { id: "error", label: "Error", render: ({ tick }) => <span title={tick.error?.message ?? ""}>{tick.error?.message ?? ""}</span> },
];

export function FailedTicks({ location, name }: { location: string; name: string }) {
  const selector = { repositoryLocationName: location, pipelineName: name };
  const answer = useData(JOB_FAILED_TICKS, { selector }, { live: ["ticks", "locations"] });
  const found = answer.data?.pipelineOrError;
  if (found?.__typename !== "Pipeline" || found.failedTicks.length === 0) return null;
  return (
    <>
      <Section title="Ticks that failed, and made no run" />
      <Table label="Failed ticks" columns={COLUMNS} rows={found.failedTicks} rowKey={({ tick }) => tick.tickId} />
    </>
  );
}
