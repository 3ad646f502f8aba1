/** The settings in force, and facts about the storage. Read-only: they are set in files. */
import { CopyButton } from "../../kit/CopyButton";
import { Facts } from "../../kit/Facts";
import { Section } from "../../kit/Page";
import { bytesText } from "../../services/size.model";
import type { DeploymentQuery } from "../../services/schema.gen";
import css from "./Deployment.module.css";

export function Configuration({ data }: { data: DeploymentQuery }) {
  const { instance } = data;
  const queue = instance.runQueueConfig;
  const limits = (
    [
      ["Limits by tag", queue?.tagConcurrencyLimitsYaml],
      ["Limits by job", queue?.jobLimitsYaml],
      ["Limits by code location", queue?.locationLimitsYaml],
    ] as const
  ).filter(([, yaml]) => (yaml ?? "").trim() !== "");
  return (
    <div className={css.columns}>
      <Section title="Settings in force" actions={<CopyButton label="Copy the settings" text={() => instance.info ?? ""} />}>
        <pre className={css.yaml}>{instance.info ?? "Nothing is set: all defaults."}</pre>
      </Section>
      <div>
        <Section title="Facts">
          <Facts
            facts={[
              ["Version", data.version],
              ["Runs at once", queue === null ? "Not limited: runs are not queued" : queue.maxConcurrentRuns < 0 ? "Not limited" : String(queue.maxConcurrentRuns)],
              ["Turns in the queue", queue?.fairShare ? "By priority, then in fair shares" : "By priority, then by age"],
              ["Runs at work", String(instance.activeRuns)],
              ["Runs waiting", String(instance.queuedRuns)],
            ]}
          />
        </Section>
        <Section title="Storage">
          <Facts facts={instance.storage.map(({ key, value }) => (key === "bytes" ? (["size", bytesText(Number(value))] as const) : ([key, value] as const)))} />
        </Section>
        {limits.map(([title, yaml]) => (
          <Section key={title} title={title}>
            <pre className={css.yaml}>{yaml}</pre>
          </Section>
        ))}
      </div>
    </div>
  );
}
