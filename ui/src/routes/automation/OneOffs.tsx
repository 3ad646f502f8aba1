/** Runs that are made once, at an instant: those that wait, and what became of the others. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { TextInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { useData } from "../../services/data";
import { cancelOneOff, type OneOff, ONE_OFFS } from "../../services/oneOffs";
import { shortId, targetOf } from "../../services/run.model";
import css from "./automation.module.css";

const PAGE = 100;

export function OneOffs() {
  const [limit, setLimit] = useState(PAGE);
  const [canceling, setCanceling] = useState<OneOff | null>(null);
  const answer = useData(ONE_OFFS, { limit, cursor: null }, { live: ["one_offs", "runs"] });
  const found = answer.data?.oneOffRuns;
  if (answer.error) return <Failure error={answer.error} title="The planned runs could not be read." onRetry={() => void answer.refetch()} />;
  if (found === undefined) return <Skeleton rows={6} />;
  if (found.length === 0) {
    return (
      <Empty title="No run is planned" icon="automation" action={<Link to={links.jobs()}>All jobs</Link>}>
        <i>Run later</i> in the launchpad of a job plans one run of it at a time of your choice.
      </Empty>
    );
  }
  return (
    <>
      <Table label="Runs at a time" columns={columns(setCanceling)} rows={found} rowKey={({ id }) => id} stale={answer.isPlaceholderData} />
      {found.length === limit ? (
        <p className={css.more}>
          <Button onPress={() => setLimit(limit + PAGE)}>Show {PAGE} more</Button>
        </p>
      ) : null}
      {canceling === null ? null : <CancelDialog oneOff={canceling} onClose={() => setCanceling(null)} />}
    </>
  );
}

function columns(onCancel: (oneOff: OneOff) => void): Column<OneOff>[] {
  return [
    { id: "status", label: "Status", width: "130px", render: ({ status }) => <StatusTag status={`ONE_OFF_${status}`} /> },
    { id: "at", label: "At", width: "140px", render: ({ timestamp }) => <Time at={timestamp} />, sortBy: ({ timestamp }) => timestamp },
    {
      id: "target",
      label: "Target",
      least: 150,
      render: (oneOff) => {
        const name = targetOf(oneOff);
        return oneOff.assetSelection === null && !oneOff.jobName.startsWith("__") ? (
          <Link to={links.job(oneOff.repositoryLocationName, oneOff.jobName)}>{name}</Link>
        ) : (
          <span title={name}>{name}</span>
        );
      },
    },
    { id: "partition", label: "Partition", width: "12%", render: ({ partition }) => partition ?? "" },
    { id: "who", label: "Who", width: "110px", render: ({ actor }) => actor ?? "somebody" },
    { id: "why", label: "Why", width: "18%", render: ({ reason, note }) => <span title={note ?? reason ?? ""}>{note ?? reason ?? ""}</span> },
    { id: "run", label: "Run", width: "100px", render: ({ runId }) => (runId === null ? "" : <Link to={links.run(runId)}>{shortId(runId)}</Link>) },
    {
      id: "deed",
      label: "Call off",
      hideLabel: true,
      width: "100px",
      align: "right",
      render: (oneOff) =>
        oneOff.status === "WAITING" ? (
          <Button variant="quiet" onPress={() => onCancel(oneOff)}>
            Call off
          </Button>
        ) : null,
    },
  ];
}

function CancelDialog({ oneOff, onClose }: { oneOff: OneOff; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const act = useMutation({
    mutationFn: () => cancelOneOff(oneOff.id, reason),
    onSuccess: () => {
      toast({ text: "The run is called off." });
      onClose();
    },
    onError: toastError,
    onSettled: () => void client.invalidateQueries({ queryKey: ["OneOffs"] }),
  });
  return (
    <Dialog
      title="Call the run off?"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Back</Button>
          <Button variant="danger" isPending={act.isPending} onPress={() => act.mutate()}>
            Call off
          </Button>
        </>
      }
    >
      <TextInput label="Reason" value={reason} onChange={setReason} autoFocus />
    </Dialog>
  );
}
