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
              ["Runs at work", String(instance.activeRuns)],
              ["Runs waiting", String(instance.queuedRuns)],
            ]}
          />
        </Section>
        <Section title="Storage">
          <Facts facts={instance.storage.map(({ key, value }) => (key === "bytes" ? (["size", bytesText(Number(value))] as const) : ([key, value] as const)))} />
        </Section>
        {queue === null || (queue.tagConcurrencyLimitsYaml ?? "").trim() === "" ? null : (
          <Section title="Limits by tag">
            <pre className={css.yaml}>{queue.tagConcurrencyLimitsYaml}</pre>
          </Section>
        )}
      </div>
    </div>
  );
}
