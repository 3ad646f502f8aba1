/** The job's graph, with what is known of the chosen step beside it. */
import { useMemo } from "react";

import { keyText } from "../../assets/catalogue.model";
import { GraphView } from "../../graph/GraphView";
import { NARROW } from "../../graph/node.model";
import { Breakable } from "../../kit/Breakable";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Chip, Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { links } from "../../links";
import { Markdown } from "../../metadata/Markdown";
import { MetadataView } from "../../metadata/MetadataView";
import { useGo, useSearchState } from "../../services/navigation";
import { durationText } from "../../services/time.model";
import css from "./job.module.css";
import { type Job, jobGraph, type Step, stepNote } from "./jobGraph.model";

export function JobGraph({ job }: { job: Job }) {
  const [{ step }, setSearch] = useSearchState();
  const go = useGo();
  const graph = useMemo(() => jobGraph(job.steps), [job.steps]);
  const selected = useMemo(() => new Set(step ? step.split(",") : []), [step]);
  const chosen = job.steps.filter((each) => selected.has(each.key));
  if (job.steps.length === 0)
    return <Empty title="The job has no steps">Its graph calls no op and selects no asset.</Empty>;
  const open = (key: string) => {
    const asset = job.steps.find((each) => each.key === key)?.assetKeys[0];
    if (asset) go(links.asset(asset.path));
  };
  return (
    <div className={css.split}>
      <GraphView
        label={`Graph of ${job.name}`}
        nodes={graph.nodes}
        edges={graph.edges}
        selected={selected}
        onSelect={(ids) => setSearch({ step: [...ids].join(",") })}
        onOpen={open}
        size={NARROW}
      />
      <aside className={css.panel} aria-label="About">
        {chosen.length === 1 && chosen[0] ? (
          <StepFacts step={chosen[0]} />
        ) : chosen.length > 1 ? (
          <p>{chosen.length} steps chosen</p>
        ) : (
          <JobFacts job={job} />
        )}
        {chosen.length > 0 ? (
          <Button variant="quiet" onPress={() => setSearch({ step: undefined })}>
            Back to the job
          </Button>
        ) : null}
      </aside>
    </div>
  );
}

function JobFacts({ job }: { job: Job }) {
  const tags = [...job.tags, ...job.runTags];
  return (
    <>
      <Facts
        facts={[
          ["Steps", String(job.steps.length)],
          ["Partitions", job.isPartitioned ? job.partitionKeyCount.toLocaleString("en") : null],
          ["Owners", job.owners.length === 0 ? null : job.owners.map((owner) => <Chip key={owner}>{owner}</Chip>)],
          [
            "Tags",
            tags.length === 0 ? null : tags.map((tag) => <Chip key={tag.key}>{`${tag.key}: ${tag.value}`}</Chip>),
          ],
          ["Source", job.sourceRef === null ? null : <code key="source"><Breakable text={job.sourceRef} /></code>],
        ]}
      />
      {job.metadataEntries.length > 0 ? <MetadataView entries={job.metadataEntries} /> : null}
      <p className={css.hint}>Choose a step to see its inputs, outputs and resources.</p>
    </>
  );
}

function StepFacts({ step }: { step: Step }) {
  const ports = (list: readonly { name: string; typeName: string }[]) =>
    list.length === 0 ? null : (
      <ul className={css.ports}>
        {list.map((port) => (
          <li key={port.name}>
            {port.name} <code>{port.typeName}</code>
          </li>
        ))}
      </ul>
    );
  return (
    <>
      <h2 className={css.stepName}>{step.key}</h2>
      {step.description ? <Markdown source={step.description} /> : null}
      <Facts
        facts={[
          ["What", stepNote(step)],
          ["Inputs", ports(step.inputs)],
          ["Outputs", ports(step.outputs)],
          [
            "Assets",
            step.assetKeys.length === 0
              ? null
              : step.assetKeys.map(({ path }) => (
                  <Link key={keyText(path)} to={links.asset(path)}>
                    {keyText(path)}{" "}
                  </Link>
                )),
          ],
          ["Checks", step.assetChecks.length === 0 ? null : step.assetChecks.join(", ")],
          [
            "Resources",
            step.resources.length === 0 ? null : step.resources.map((name) => <Chip key={name}>{name}</Chip>),
          ],
          ["Retries", step.maxRetries === 0 ? null : String(step.maxRetries)],
          ["Timeout", step.timeoutSeconds === null ? null : durationText(step.timeoutSeconds)],
          ["Pool", step.pool],
          [
            "Tags",
            step.tags.length === 0
              ? null
              : step.tags.map((tag) => <Chip key={tag.key}>{`${tag.key}: ${tag.value}`}</Chip>),
          ],
        ]}
      />
    </>
  );
}
