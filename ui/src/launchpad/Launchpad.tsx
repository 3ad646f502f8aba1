/** The launchpad: a run config with help while it is written, checked by the server, and launched. */
import { useEffect, useState } from "react";

import { Button } from "../kit/Button";
import { Failure } from "../kit/ErrorPanel";
import { Skeleton } from "../kit/Skeleton";
import { TextInput } from "../kit/TextInput";
import { toast, toastError } from "../kit/toast";
import { links } from "../links";
import { useData } from "../services/data";
import { configOfPartition, JOB_LAUNCHPAD } from "../services/jobs";
import { type ConfigMistake, LaunchRefused, launchRun } from "../services/launch";
import { useGo } from "../services/navigation";
import { readPartition } from "../services/partition.model";
import type { JobLaunchpadQuery } from "../services/schema.gen";
import { BackfillDialog } from "./BackfillDialog";
import ConfigEditor from "./ConfigEditor";
import type { ConfigType } from "./configTree.model";
import { draftOf, keepDraft } from "./drafts";
import css from "./Launchpad.module.css";
import { LaterDialog } from "./LaterDialog";
import { SchemaPane } from "./SchemaPane";
import { parseTags } from "../services/tags.model";

interface LaunchpadProps {
  location: string;
  job: string;
}

type Schema = Extract<JobLaunchpadQuery["runConfigSchemaOrError"], { __typename: "RunConfigSchema" }>;
type Pipeline = Extract<JobLaunchpadQuery["pipelineOrError"], { __typename: "Pipeline" }>;

export default function Launchpad({ location, job }: LaunchpadProps) {
  const selector = { repositoryLocationName: location, pipelineName: job };
  const answer = useData(JOB_LAUNCHPAD, { selector }, { live: ["locations"] });
  if (answer.error)
    return (
      <Failure
        error={answer.error}
        title="The config schema could not be read."
        onRetry={() => void answer.refetch()}
      />
    );
  if (!answer.data) return <Skeleton rows={12} />;
  const { runConfigSchemaOrError: schema, pipelineOrError: pipeline } = answer.data;
  if (schema.__typename !== "RunConfigSchema")
    return <Failure error={new Error(schema.message)} title="The job has no config schema." />;
  return (
    <Pad
      location={location}
      job={job}
      schema={schema}
      pipeline={pipeline.__typename === "Pipeline" ? pipeline : undefined}
    />
  );
}

interface PadProps extends LaunchpadProps {
  schema: Schema;
  pipeline: Pipeline | undefined;
}

function Pad({ location, job, schema, pipeline }: PadProps) {
  const tree = schema.configTree as ConfigType;
  const [text, setText] = useState(() => draftOf(location, job) ?? schema.rootDefaultYaml);
  const [put, setPut] = useState<{ text: string }>();
  const [tags, setTags] = useState("");
  const [partition, setPartition] = useState("");
  const [refused, setRefused] = useState<{ text: string; mistakes: readonly ConfigMistake[] }>();
  const [isWrong, setWrong] = useState(false);
  const [open, setOpen] = useState<"backfill" | "later">();
  const [isBusy, setBusy] = useState(false);
  const go = useGo();
  const keys = pipeline?.partitionKeysOrError.partitionKeys ?? [];
  const parsedTags = parseTags(tags);
  const chosen = readPartition(partition);
  const allTags = [...parsedTags.tags, ...chosen.tags];
  const params = {
    selector: { repositoryLocationName: location, jobName: job },
    runConfigData: text,
    ...(allTags.length > 0 ? { executionMetadata: { tags: allTags } } : {}),
    ...(chosen.partition === undefined ? {} : { partition: chosen.partition }),
  };
  const needsPartition = (pipeline?.isPartitioned ?? false) && partition.trim() === "";

  const canLaunch = !isBusy && !needsPartition && !isWrong && parsedTags.wrong.length === 0;

  const launch = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      const made = await launchRun(params);
      const [runId] = made.runIds;
      if (runId !== undefined) go(links.run(runId));
    } catch (error) {
      if (error instanceof LaunchRefused && error.mistakes.length > 0) setRefused({ text, mistakes: error.mistakes });
      toast({ text: error instanceof Error ? error.message : String(error), tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    keepDraft(location, job, text === schema.rootDefaultYaml ? undefined : text);
  }, [text, location, job, schema]);
  const putPartition = async (key: string) => {
    try {
      const found = await configOfPartition({ repositoryLocationName: location, pipelineName: job }, key);
      setPut({ text: found.yaml });
      if (found.tags !== "") setTags(found.tags);
    } catch (error) {
      toastError(error);
    }
  };
  const [lastRun] = pipeline?.runs ?? [];
  return (
    <div className={css.pad}>
      <div className={css.main}>
        <div className={css.bar}>
          {pipeline?.isPartitioned ? (
            <>
              <TextInput
                label="Partition"
                value={partition}
                list="launchpad-partitions"
                placeholder={keys[0] ?? ""}
                title="One key, or first...last for a range in one run"
                onChange={setPartition}
              />
              <datalist id="launchpad-partitions">
                {keys.slice(0, 500).map((key) => (
                  <option key={key} value={key} />
                ))}
              </datalist>
            </>
          ) : null}
          <TextInput
            label="Tags"
            className={css.tags ?? ""}
            value={tags}
            placeholder="team=data, priority=high"
            aria-invalid={parsedTags.wrong.length > 0}
            onChange={setTags}
          />
          <span className={css.fill}>
            <Button variant="quiet" onPress={() => setPut({ text: schema.rootDefaultYaml })}>
              Defaults
            </Button>
            {chosen.partition === undefined ? null : (
              <Button variant="quiet" onPress={() => void putPartition(chosen.partition!)}>
                Config of the partition
              </Button>
            )}
            <Button
              variant="quiet"
              isDisabled={lastRun === undefined}
              onPress={() => lastRun && setPut({ text: lastRun.runConfigYaml })}
            >
              Config of the last run
            </Button>
          </span>
        </div>
        <ConfigEditor
          label={`Run config of ${job}`}
          selector={{ repositoryLocationName: location, pipelineName: job }}
          tree={tree}
          text={text}
          onChange={setText}
          put={put}
          onVerdict={setWrong}
          refused={refused}
          onSubmit={() => void launch()}
        />
        {parsedTags.wrong.length > 0 ? (
          <p className={css.wrong}>Not a tag: {parsedTags.wrong.join(", ")}. Write key=value, with commas between.</p>
        ) : null}
        <footer className={css.foot}>
          <span className={css.quiet}>
            {needsPartition
              ? "Choose the partition to run, or a range of them: first...last."
              : "Ctrl-Space completes, Ctrl-Enter launches, Esc and then Tab leaves the editor"}
          </span>
          <Button icon="automation" isDisabled={!canLaunch} onPress={() => setOpen("later")}>
            Run later
          </Button>
          {pipeline?.isPartitioned ? (
            <Button icon="backfills" isDisabled={isWrong || parsedTags.wrong.length > 0} onPress={() => setOpen("backfill")}>
              Many partitions
            </Button>
          ) : null}
          <Button
            variant="primary"
            icon="play"
            isDisabled={!canLaunch}
            onPress={() => void launch()}
          >
            Launch run
          </Button>
        </footer>
      </div>
      <SchemaPane tree={tree} text={text} />
      {open === "backfill" ? (
        <BackfillDialog location={location} job={job} runConfig={text} tags={parsedTags.tags} onClose={() => setOpen(undefined)} />
      ) : null}
      {open === "later" ? <LaterDialog job={job} params={params} onClose={() => setOpen(undefined)} /> : null}
    </div>
  );
}
