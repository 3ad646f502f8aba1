/** Concurrency pools: how many slots each has, who holds them, who waits and why; and the limits of the run queue. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { type Column, Table } from "../../kit/Table";
import { TextInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { useData } from "../../services/data";
import { type Pool, POOLS, setPoolLimit } from "../../services/pools";
import { limitOf, limitText, stepText } from "../../services/pools.model";
import { shortId } from "../../services/run.model";
import { ACTIVE } from "../../services/runs";
import type { DeploymentQuery } from "../../services/schema.gen";
import css from "./Deployment.module.css";

interface ConcurrencyProps {
  instance: DeploymentQuery["instance"];
  /** The pool that the address names; "" for none. */
  focus: string;
  onFocus: (pool: string) => void;
}

export function Concurrency({ instance, focus, onFocus }: ConcurrencyProps) {
  const answer = useData(POOLS, {}, { live: ["pools", "locations"] });
  const [edited, setEdited] = useState<Pool | null>(null);
  if (answer.data === undefined) {
    return answer.isError ? (
      <Section>
        <Failure title="The pools could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
      </Section>
    ) : (
      <Skeleton />
    );
  }
  const { concurrencyLimits: pools, poolConfig: config, maxConcurrencyLimitValue: most } = answer.data.instance;
  const chosen = pools.find((pool) => pool.concurrencyKey === focus) ?? null;
  return (
    <>
      <Section title="Pools">
        {pools.length === 0 ? (
          <Empty title="No pool" icon="deployment">
            Give an op or asset <code>pool=&quot;name&quot;</code>, and set here how many steps of that pool may run at once, over all runs.
          </Empty>
        ) : (
          <div className={css.table}>
            <Table
              label="Pools"
              columns={poolColumns(setEdited)}
              rows={pools}
              rowKey={(pool) => pool.concurrencyKey}
              onRow={(pool) => onFocus(pool.concurrencyKey === focus ? "" : pool.concurrencyKey)}
            />
          </div>
        )}
      </Section>
      {chosen === null ? null : <Claims pool={chosen} />}
      <Section title="Rules">
        <Facts
          facts={[
            ["A slot is held by", config.poolGranularity === "run" ? "each run, for its life" : "each step, while it runs"],
            ["Default limit of a pool", config.defaultPoolLimit === null ? "None" : String(config.defaultPoolLimit)],
            ["Runs at once", runsText(instance)],
            ["Of a job", limits(instance.runQueueConfig?.jobLimitsYaml)],
            ["Of a code location", limits(instance.runQueueConfig?.locationLimitsYaml)],
            ["With a tag", limits(instance.runQueueConfig?.tagConcurrencyLimitsYaml)],
            ["Among equals goes first", turnText(instance)],
            ["Runs at work", <Link key="active" to={links.runs({ status: ACTIVE })}>{String(instance.activeRuns)}</Link>],
            ["Runs waiting", <Link key="queued" to={links.runs({ status: ["QUEUED"] })}>{String(instance.queuedRuns)}</Link>],
          ]}
        />
      </Section>
      {edited === null ? null : <LimitDialog pool={edited} most={most} onClose={() => setEdited(null)} />}
    </>
  );
}

function runsText({ runQueueConfig: queue }: DeploymentQuery["instance"]): string {
  if (queue === null) return "Not limited: runs are not queued";
  return queue.maxConcurrentRuns < 0 ? "Not limited" : String(queue.maxConcurrentRuns);
}

/** Whose turn it is among runs of equal priority. */
function turnText({ runQueueConfig: queue }: DeploymentQuery["instance"]): string | null {
  if (queue === null) return null;
  return queue.fairShare ? "whoever has the fewest runs at work: backfills, jobs and users take turns" : "who has waited longest";
}

function limits(yaml: string | null | undefined) {
  return yaml ? <pre>{yaml.trim()}</pre> : null;
}

function poolColumns(onEdit: (pool: Pool) => void): Column<Pool>[] {
  return [
    { id: "pool", label: "Pool", render: (pool) => pool.concurrencyKey, sortBy: (pool) => pool.concurrencyKey },
    { id: "limit", label: "Slots", width: "150px", render: (pool) => limitText(pool.limit, pool.usingDefaultLimit), sortBy: (pool) => pool.limit },
    { id: "held", label: "Taken", width: "90px", align: "right", render: (pool) => pool.activeSlotCount, sortBy: (pool) => pool.activeSlotCount },
    { id: "waits", label: "Waiting", width: "90px", align: "right", render: (pool) => pool.pendingStepCount, sortBy: (pool) => pool.pendingStepCount },
    {
      id: "edit",
      label: "Change",
      hideLabel: true,
      width: "130px",
      align: "right",
      render: (pool) => (
        <Button variant="quiet" onPress={() => onEdit(pool)}>
          Set limit
        </Button>
      ),
    },
  ];
}

type Claim = { runId: string; stepKey: string; since: number; state: string; why: string };

const CLAIM_COLUMNS: readonly Column<Claim>[] = [
  { id: "run", label: "Run", width: "110px", render: (claim) => <Link to={links.run(claim.runId)}>{shortId(claim.runId)}</Link> },
  { id: "step", label: "Step", width: "240px", render: (claim) => stepText(claim.stepKey) },
  { id: "since", label: "Since", width: "130px", render: (claim) => <Time at={claim.since} relative /> },
  { id: "state", label: "State", render: (claim) => <span title={claim.why}>{claim.state}</span> },
];

function Claims({ pool }: { pool: Pool }) {
  const claims: Claim[] = [
    ...pool.claimedSlots.map(({ runId, stepKey, takenTimestamp: since }) => ({ runId, stepKey, since, state: "Holds a slot", why: "" })),
    ...pool.pendingSteps.map(({ runId, stepKey, enqueuedTimestamp: since, reason: why }, index) => ({
      runId,
      stepKey,
      since,
      state: `Waits, place ${index + 1} of ${pool.pendingStepCount}`,
      why,
    })),
  ];
  return (
    <Section title={`Pool ${pool.concurrencyKey}: holders and waiting`}>
      {claims.length === 0 ? (
        <Empty title="Nobody holds or waits for a slot" icon="deployment">
          Steps that run in this pool show here, and those that wait, in the order of their turn.
        </Empty>
      ) : (
        <div className={css.table}>
          <Table label="Holders and waiting" columns={CLAIM_COLUMNS} rows={claims} rowKey={(claim) => `${claim.runId} ${claim.stepKey}`} />
        </div>
      )}
    </Section>
  );
}

interface LimitDialogProps {
  pool: Pool;
  most: number;
  onClose: () => void;
}

function LimitDialog({ pool, most, onClose }: LimitDialogProps) {
  const client = useQueryClient();
  const [typed, setTyped] = useState(pool.usingDefaultLimit || pool.limit === null ? "" : String(pool.limit));
  const limit = limitOf(typed, most);
  const save = useMutation({
    mutationFn: (value: number | null) => setPoolLimit(pool.concurrencyKey, value),
    onSuccess: () => {
      toast({ text: `The limit of pool ${pool.concurrencyKey} is set.` });
      onClose();
    },
    onError: toastError,
    onSettled: () => void client.invalidateQueries({ queryKey: ["Pools"] }),
  });
  return (
    <Dialog
      title={`Slots of pool ${pool.concurrencyKey}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            variant="primary"
            isPending={save.isPending}
            isDisabled={typeof limit === "string"}
            onPress={() => typeof limit !== "string" && save.mutate(limit)}
          >
            Save
          </Button>
        </>
      }
    >
      <TextInput label="Steps at once, over all runs" value={typed} onChange={setTyped} inputMode="numeric" autoFocus placeholder="The default limit" />
      <p className={css.hint}>
        {typeof limit === "string" ? limit : "Empty: the default limit of the settings holds. Steps that hold a slot now keep it."}
      </p>
    </Dialog>
  );
}
