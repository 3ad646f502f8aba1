/** Who is told of what, and what became of each message: sent, failing, held back or given up. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { SelectInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { type AlertDelivery, type AlertRule, ALERTS, type AlertSettings } from "../../services/alerts";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { durationText } from "../../services/time.model";
import { kindName, readStatus, standing, STATUSES, targetText, throttleText, whereText } from "./alerts.model";
import css from "./Deployment.module.css";

const PAGE = 50;

export function Alerts() {
  const [{ status: asked, before = "", message = "" }, change] = useSearchState();
  const status = readStatus(asked);
  const [limit, setLimit] = useState(PAGE);
  const answer = useData(ALERTS, { status, limit, cursor: before === "" ? null : before }, { live: ["alerts"] });
  if (answer.data === undefined) {
    return answer.isError ? (
      <Section>
        <Failure title="The alerts could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
      </Section>
    ) : (
      <Skeleton />
    );
  }
  const { alerts } = answer.data.instance;
  const { deliveries } = alerts;
  const messages = deliveries?.results ?? [];
  const chosen = messages.find(({ id }) => id === message);
  return (
    <>
      <Rules alerts={alerts} />
      <Section
        title="Messages"
        actions={
          <SelectInput
            label="Status of messages"
            hideLabel
            value={status ?? ""}
            options={[{ value: "", label: "All" }, ...STATUSES]}
            onChange={(value) => change({ status: value, before: "", message: "" })}
          />
        }
      >
        {deliveries === null ? (
          <Empty title="This storage keeps no messages" icon="deployment">
            Alerts need a storage with an outbox; that of SQLite and that of Postgres have one.
          </Empty>
        ) : messages.length === 0 ? (
          <Empty title={status === null ? "No message yet" : "No message stands there"} icon={status === null ? "check" : "filter"}>
            {status === null ? "What a rule asks for shows here as soon as it has happened, for 30 days." : "The filter leaves nothing over."}
          </Empty>
        ) : (
          <div className={css.table}>
            <Table
              label="Messages"
              columns={COLUMNS}
              rows={messages}
              rowKey={({ id }) => id}
              onRow={({ id }) => change({ message: id === message ? "" : id })}
              stale={answer.isPlaceholderData}
            />
          </div>
        )}
        {deliveries !== null && (deliveries.cursor !== null || before !== "") ? (
          <p className={css.hint}>
            {deliveries.cursor === null ? null : limit < 4 * PAGE ? (
              <Button onPress={() => setLimit(limit + PAGE)}>Show {PAGE} more</Button>
            ) : (
              <Button onPress={() => change({ before: deliveries.cursor!, message: "" }, { replace: false })}>Look further back</Button>
            )}
            {before === "" ? null : <Button onPress={() => change({ before: "", message: "" })}>Back to the newest</Button>}
          </p>
        ) : null}
      </Section>
      {chosen === undefined ? null : <Message message={chosen} />}
    </>
  );
}

const RULE_COLUMNS: readonly Column<AlertRule>[] = [
  { id: "name", label: "Rule", width: "18%", render: ({ name }) => <span title={name}>{name}</span> },
  {
    id: "when",
    label: "When",
    least: 220,
    wraps: true,
    render: ({ when }) => when.map(kindName).join("; "),
  },
  { id: "where", label: "Where", width: "18%", render: (rule) => <span title={whereText(rule) ?? ""}>{whereText(rule) ?? "Everywhere"}</span> },
  {
    id: "to",
    label: "To",
    width: "24%",
    render: ({ targets }) => <span title={targets.map(targetText).join("; ")}>{targets.map(targetText).join("; ")}</span>,
  },
  { id: "throttle", label: "Held back for", width: "120px", render: ({ throttleSeconds }) => throttleText(throttleSeconds) },
];

function Rules({ alerts }: { alerts: AlertSettings }) {
  return (
    <Section title="Rules">
      {alerts.rules.length === 0 ? (
        <Empty title="Nobody is told of anything" icon="warning">
          The block <code>alerts</code> of penstock.yaml says who is told of what: by mail, by Slack or by a webhook.
        </Empty>
      ) : (
        <>
          <div className={css.table}>
            <Table label="Rules" columns={RULE_COLUMNS} rows={alerts.rules} rowKey={({ name }) => name} />
          </div>
          <p className={css.hint}>
            As the web server read them from penstock.yaml. A run waits too long after {durationText(alerts.lateAfterSeconds)}, and does not end after{" "}
            {durationText(alerts.stuckAfterSeconds)}. {alerts.webUrl === null ? "Messages have no link: web_url is not set." : `Links lead to ${alerts.webUrl}.`}{" "}
            Try a rule out with <code>penstock instance alerts test NAME</code>.
          </p>
        </>
      )}
    </Section>
  );
}

const COLUMNS: readonly Column<AlertDelivery>[] = [
  { id: "status", label: "Status", width: "130px", render: (delivery) => <StatusTag status={standing(delivery)} /> },
  { id: "created", label: "Decided", width: "120px", render: ({ createdTimestamp }) => <Time at={createdTimestamp} /> },
  { id: "about", label: "About", least: 200, render: ({ title, path }) => <Link to={path}>{title}</Link> },
  { id: "to", label: "To", width: "17%", render: ({ rule, target }) => <span title={`${rule} / ${target}`}>{`${rule} / ${target}`}</span> },
  { id: "attempts", label: "Attempts", width: "84px", align: "right", render: ({ attempts }) => attempts },
  {
    id: "next",
    label: "Next or end",
    width: "96px",
    render: ({ status, dueTimestamp, endedTimestamp }) => <Time at={status === "PENDING" ? dueTimestamp : endedTimestamp} relative />,
  },
  { id: "error", label: "Last error", least: 160, render: ({ error }) => <span title={error ?? ""}>{error ?? ""}</span> },
];

function Message({ message }: { message: AlertDelivery }) {
  return (
    <Section title={message.title}>
      <Facts
        facts={[
          ["Kind", kindName(message.kind)],
          ["Rule and target", `${message.rule} / ${message.target}`],
          ["Status", <StatusTag key="status" status={standing(message)} />],
          ["Attempts", String(message.attempts)],
          ["Next attempt", message.status === "PENDING" ? <Time key="due" at={message.dueTimestamp} /> : null],
          ["Last error", message.error],
          ["Page", <Link key="page" to={message.path}>{message.path}</Link>],
        ]}
      />
      <pre className={css.yaml}>{message.text}</pre>
    </Section>
  );
}
