/** The launchpad: a run config with help while it is written, checked by the server, and launched. */
import type { EditorView } from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";

import { Button } from "../kit/Button";
import { Failure } from "../kit/ErrorPanel";
import { Skeleton } from "../kit/Skeleton";
import { TextInput } from "../kit/TextInput";
import { toast } from "../kit/toast";
import { links } from "../links";
import { useData } from "../services/data";
import { ask } from "../services/gql";
import { CHECK_JOB_CONFIG, JOB_LAUNCHPAD } from "../services/jobs";
import { type ConfigMistake, LaunchRefused, launchRun } from "../services/launch";
import { useGo } from "../services/navigation";
import { readPartition } from "../services/partition.model";
import type { JobLaunchpadQuery } from "../services/schema.gen";
import { markMistakes } from "./assist.model";
import type { ConfigType } from "./configTree.model";
import { draftOf, keepDraft } from "./drafts";
import { createEditor, goToLine, replaceText, showMistakes } from "./editor";
import css from "./Launchpad.module.css";
import { SchemaPane } from "./SchemaPane";
import { parseTags } from "./tags.model";

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

/** How long typing rests before the server is asked. */
const CHECK_AFTER_MS = 350;

function Pad({ location, job, schema, pipeline }: PadProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(null);
  const tree = schema.configTree as ConfigType;
  const latestTree = useRef(tree);
  const [text, setText] = useState(() => draftOf(location, job) ?? schema.rootDefaultYaml);
  const [tags, setTags] = useState("");
  const [partition, setPartition] = useState("");
  const [check, setCheck] = useState<{ text: string; mistakes: readonly ConfigMistake[]; failure?: string }>();
  const [isBusy, setBusy] = useState(false);
  const go = useGo();
  const keys = pipeline?.partitionKeysOrError.partitionKeys ?? [];
  const parsedTags = parseTags(tags);
  const marked = useMemo(() => (check ? markMistakes(text, check.mistakes) : []), [text, check]);
  const chosen = readPartition(partition);
  const allTags = [...parsedTags.tags, ...chosen.tags];
  const needsPartition = (pipeline?.isPartitioned ?? false) && partition.trim() === "";

  const launch = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      const made = await launchRun({
        selector: { repositoryLocationName: location, jobName: job },
        runConfigData: text,
        ...(allTags.length > 0 ? { executionMetadata: { tags: allTags } } : {}),
        ...(chosen.partition === undefined ? {} : { partition: chosen.partition }),
      });
      const [runId] = made.runIds;
      if (runId !== undefined) go(links.run(runId));
    } catch (error) {
      if (error instanceof LaunchRefused && error.mistakes.length > 0) setCheck({ text, mistakes: error.mistakes });
      toast({ text: error instanceof Error ? error.message : String(error), tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  const latestLaunch = useRef(launch);
  useEffect(() => {
    latestLaunch.current = launch;
    latestTree.current = tree;
  });

  useEffect(() => {
    const view = createEditor({
      parent: host.current!,
      text,
      label: `Run config of ${job}`,
      schema: () => latestTree.current,
      onChange: setText,
      onSubmit: () => void latestLaunch.current(),
    });
    editor.current = view;
    return () => view.destroy();
    // The editor owns its text from here on: a new text in the state comes from it.
  }, [job]);

  useEffect(() => {
    keepDraft(location, job, text === schema.rootDefaultYaml ? undefined : text);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const selector = { repositoryLocationName: location, pipelineName: job };
      ask(CHECK_JOB_CONFIG, { selector, config: text }, abort.signal).then(
        ({ isPipelineConfigValid: said }) => {
          if (said.__typename === "RunConfigValidationInvalid") setCheck({ text, mistakes: said.errors });
          else if ("message" in said) setCheck({ text, mistakes: [], failure: said.message });
          else setCheck({ text, mistakes: [] });
        },
        (error: unknown) => {
          if (!abort.signal.aborted)
            setCheck({ text, mistakes: [], failure: error instanceof Error ? error.message : String(error) });
        },
      );
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, location, job, schema]);

  useEffect(() => {
    if (editor.current) showMistakes(editor.current, marked);
  }, [marked]);

  const put = (yaml: string) => editor.current && replaceText(editor.current, yaml);
  const [lastRun] = pipeline?.runs ?? [];
  const state =
    check === undefined || check.text !== text
      ? "checking"
      : check.failure
        ? "unknown"
        : marked.length > 0
          ? "wrong"
          : "right";
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
            <Button variant="quiet" onPress={() => put(schema.rootDefaultYaml)}>
              Defaults
            </Button>
            <Button
              variant="quiet"
              isDisabled={lastRun === undefined}
              onPress={() => lastRun && put(lastRun.runConfigYaml)}
            >
              Config of the last run
            </Button>
          </span>
        </div>
        <div ref={host} className={css.editor} />
        <section className={css.said} aria-label="Check of the config" data-state={state}>
          {state === "right" ? <p className={css.right}>The config is valid.</p> : null}
          {state === "checking" ? <p className={css.quiet}>Checking…</p> : null}
          {check?.failure ? <p className={css.wrong}>It could not be checked: {check.failure}</p> : null}
          {marked.length > 0 ? (
            <ul className={css.mistakes}>
              {marked.map((mistake, index) => (
                <li key={index}>
                  <button
                    type="button"
                    onClick={() => editor.current && goToLine(editor.current, mistake.line, mistake.from)}
                  >
                    <span className={css.line}>line {mistake.line + 1}</span> {mistake.message}
                  </button>
                </li>
              ))}
            </ul>
          ) : null}
          {parsedTags.wrong.length > 0 ? (
            <p className={css.wrong}>Not a tag: {parsedTags.wrong.join(", ")}. Write key=value, with commas between.</p>
          ) : null}
        </section>
        <footer className={css.foot}>
          <span className={css.quiet}>
            {needsPartition
              ? "Choose the partition to run, or a range of them: first...last."
              : "Ctrl-Space completes, Ctrl-Enter launches, Esc and then Tab leaves the editor"}
          </span>
          <Button
            variant="primary"
            icon="play"
            isDisabled={isBusy || needsPartition || marked.length > 0 || parsedTags.wrong.length > 0}
            onPress={() => void launch()}
          >
            Launch run
          </Button>
        </footer>
      </div>
      <SchemaPane tree={tree} text={text} />
    </div>
  );
}
