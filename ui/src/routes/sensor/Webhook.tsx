/** What other systems send to a sensor: where to, with which tokens, and what became of the requests. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import css from "../../automation/automation.module.css";
import { curlText } from "../../automation/webhook.model";
import { Button } from "../../kit/Button";
import { CopyButton } from "../../kit/CopyButton";
import { Dialog } from "../../kit/Dialog";
import { Empty } from "../../kit/Empty";
import { Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { createToken, revokeToken, type Webhook as WebhookState } from "../../services/automation";
import { bytesText } from "../../services/size.model";

interface WebhookProps {
  webhook: WebhookState;
  selector: { repositoryLocationName: string; sensorName: string };
}

type Token = WebhookState["tokens"][number];
type Request = WebhookState["requests"][number];

export function Webhook({ webhook, selector }: WebhookProps) {
  const client = useQueryClient();
  const [made, setMade] = useState<string | null>(null);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const reread = () => void client.invalidateQueries({ queryKey: ["SensorDetail"] });
  const create = useMutation({ mutationFn: () => createToken(selector), onSuccess: setMade, onError: toastError, onSettled: reread });
  const revoke = useMutation({
    mutationFn: (token: Token) => revokeToken(selector, token.id),
    onSuccess: () => toast({ text: "Whoever shows that token is let in no more." }),
    onError: toastError,
    onSettled: () => {
      setRevoked(null);
      reread();
    },
  });
  const command = (token: string) => curlText(document.baseURI, webhook.path, token);
  return (
    <>
      <div className={css.top}>
        <Section title="Webhook">
          <Facts
            facts={[
              ["Address", <code key="path">{webhook.path}</code>],
              ["Headers kept", webhook.headers.length === 0 ? "none" : webhook.headers.join(", ")],
              ["Waiting requests", webhook.pending.toLocaleString("en")],
            ]}
          />
          <Command text={command("TOKEN")} />
        </Section>
        <Section
          title="Tokens"
          actions={
            <Button icon="plus" isPending={create.isPending} onPress={() => create.mutate()}>
              Make a token
            </Button>
          }
        >
          {webhook.tokens.length === 0 ? (
            <p className={css.quiet}>Nobody is let in yet: a request needs a token of this sensor.</p>
          ) : (
            <ul className={css.tokens}>
              {webhook.tokens.map((token) => (
                <li key={token.id}>
                  <code>…{token.hint}</code>
                  <span className={css.quiet}>
                    made <Time at={token.created} relative />
                  </span>
                  <Button variant="quiet" onPress={() => setRevoked(token)}>
                    Revoke
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <p className={css.quiet}>To change a token, make a new one, let the senders use it, and then revoke the old one.</p>
        </Section>
      </div>
      <Section title="Requests" />
      {webhook.requests.length === 0 ? (
        <Empty title="No request yet" icon="automation">
          Each request is listed here with what became of it, for seven days after it was taken.
        </Empty>
      ) : (
        <Table label="Requests" columns={columns(selector)} rows={webhook.requests} rowKey={({ id }) => id} />
      )}
      {made === null ? null : (
        <Dialog
          title="The new token"
          size="medium"
          isOpen
          onClose={() => setMade(null)}
          actions={
            <Button variant="primary" onPress={() => setMade(null)}>
              I have kept it
            </Button>
          }
        >
          <div className={css.fields}>
            <p>It is shown this once. Only its hash is stored.</p>
            <p className={css.secret}>
              <code>{made}</code>
              <CopyButton label="Copy the token" text={() => made} />
            </p>
            <Command text={command(made)} />
          </div>
        </Dialog>
      )}
      {revoked === null ? null : (
        <Dialog
          title={`Revoke the token …${revoked.hint}?`}
          isOpen
          onClose={() => setRevoked(null)}
          actions={
            <>
              <Button onPress={() => setRevoked(null)}>Back</Button>
              <Button variant="danger" isPending={revoke.isPending} onPress={() => revoke.mutate(revoked)}>
                Revoke
              </Button>
            </>
          }
        >
          Senders that still use it get the answer 401 from now on. What they have sent already stays.
        </Dialog>
      )}
    </>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className={css.command}>
      <pre className={css.logs} tabIndex={0} aria-label="A command that sends a request">
        {text}
      </pre>
      <CopyButton label="Copy the command" text={() => text} />
    </div>
  );
}

function columns({ repositoryLocationName: location, sensorName }: WebhookProps["selector"]): Column<Request>[] {
  return [
    { id: "status", label: "Status", width: "160px", render: ({ status }) => <StatusTag bare status={`REQUEST_${status}`} /> },
    { id: "received", label: "Received", width: "150px", render: ({ received }) => <Time at={received} /> },
    { id: "key", label: "Idempotency key", render: ({ idempotencyKey }) => <span title={idempotencyKey ?? ""}>{idempotencyKey ?? ""}</span> },
    { id: "size", label: "Size", width: "100px", align: "right", render: ({ size }) => bytesText(size) },
    { id: "failures", label: "Failed ticks", width: "110px", align: "right", render: ({ failedAttempts }) => failedAttempts || "" },
    {
      id: "tick",
      label: "Last tick",
      width: "120px",
      render: ({ tickId }) => (tickId === null ? "" : <Link to={links.sensor(location, sensorName, { tick: tickId })}>tick {tickId}</Link>),
    },
  ];
}
