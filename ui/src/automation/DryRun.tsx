/** What an evaluation now would do, without doing it. */
import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { ErrorPanel, Failure } from "../kit/ErrorPanel";
import { Chip, Facts } from "../kit/Facts";
import { Skeleton } from "../kit/Skeleton";
import type { DryRunFragment, DryRunScheduleMutation, DryRunSensorMutation } from "../services/schema.gen";
import css from "./automation.module.css";

type Answer = (DryRunScheduleMutation | DryRunSensorMutation)["answer"];

interface DryRunDialogProps {
  name: string;
  answer: Answer | undefined;
  error: unknown;
  onAgain: () => void;
  onClose: () => void;
}

export function DryRunDialog({ name, answer, error, onAgain, onClose }: DryRunDialogProps) {
  return (
    <Dialog
      title={`Dry run of ${name}`}
      size="large"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button icon="reload" onPress={onAgain}>
            Evaluate again
          </Button>
          <Button variant="primary" onPress={onClose}>
            Done
          </Button>
        </>
      }
    >
      {error ? (
        <Failure error={error} title="It could not be evaluated." />
      ) : answer === undefined ? (
        <Skeleton rows={4} />
      ) : answer.__typename === "DryRunInstigationTick" ? (
        <Evaluation result={answer.evaluationResult} />
      ) : (
        <Failure error={new Error(answer.message)} title="It could not be evaluated." />
      )}
    </Dialog>
  );
}

function Evaluation({ result }: { result: DryRunFragment["evaluationResult"] }) {
  if (!result) return <p className={css.quiet}>The evaluation gave no result.</p>;
  const requests = result.runRequests ?? [];
  const backfill = result.backfillRequest;
  return (
    <div className={css.detail}>
      {result.error ? <ErrorPanel error={result.error} title="The evaluation failed." /> : null}
      {result.skipReason ? <p>It would skip: {result.skipReason}</p> : null}
      {!result.error && !result.skipReason ? (
        <p>{`It would request ${requestWords(requests.length, backfill !== null)}.`}</p>
      ) : null}
      {backfill === null ? null : (
        <section className={css.request}>
          <Facts
            facts={[
              ["Backfill", `${backfill.numPartitions.toLocaleString("en")} partitions`],
              ["Assets", pathsInWords(backfill.assetSelection)],
              ["Tags", <Tags key="tags" tags={backfill.tags} />],
            ]}
          />
        </section>
      )}
      {requests.map((request, index) => (
        <section key={index} className={css.request}>
          <Facts
            facts={[
              ["Job", request.jobName],
              ["Run key", request.runKey],
              ["Partition", request.partition],
              ["Assets", request.assetSelection ? pathsInWords(request.assetSelection) : null],
              ["Tags", request.tags.length === 0 ? null : <Tags key="tags" tags={request.tags} />],
              [
                "Config",
                /^\s*(\{\})?\s*$/.test(request.runConfigYaml) ? null : (
                  <pre className={css.logs}>{request.runConfigYaml}</pre>
                ),
              ],
            ]}
          />
        </section>
      ))}
      {result.cursor === null ? null : (
        <p className={css.quiet}>
          The cursor would become <code>{result.cursor}</code>
        </p>
      )}
      {result.logs.length > 0 ? <pre className={css.logs}>{result.logs.join("\n")}</pre> : null}
    </div>
  );
}

function requestWords(runs: number, hasBackfill: boolean): string {
  const words = runs === 1 ? "1 run" : `${runs} runs`;
  if (!hasBackfill) return words;
  return runs === 0 ? "1 backfill" : `1 backfill and ${words}`;
}

function pathsInWords(keys: readonly { path: readonly string[] }[]): string {
  return keys.map(({ path }) => path.join("/")).join(", ");
}

function Tags({ tags }: { tags: readonly { key: string; value: string }[] }) {
  return tags.map((tag) => <Chip key={tag.key}>{`${tag.key}: ${tag.value}`}</Chip>);
}
