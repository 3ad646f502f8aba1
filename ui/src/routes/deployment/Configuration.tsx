/** The settings in force, and facts about the storage. Read-only: they are set in files. What the queue's mean is told beside it. */
import { CopyButton } from "../../kit/CopyButton";
import { Facts } from "../../kit/Facts";
import { Section } from "../../kit/Page";
import { bytesText } from "../../services/size.model";
import type { DeploymentQuery } from "../../services/schema.gen";
import css from "./Deployment.module.css";

export function Configuration({ data }: { data: DeploymentQuery }) {
  const { instance } = data;
  return (
    <div className={css.columns}>
      <Section title="Settings in force" actions={<CopyButton label="Copy the settings" text={() => instance.info ?? ""} />}>
        <pre className={css.yaml}>{instance.info ?? "Nothing is set: all defaults."}</pre>
      </Section>
      <div>
        <Section title="Facts">
          <Facts facts={[["Version", data.version]]} />
        </Section>
        <Section title="Storage">
          <Facts facts={instance.storage.map(({ key, value }) => (key === "bytes" ? (["size", bytesText(Number(value))] as const) : ([key, value] as const)))} />
        </Section>
      </div>
    </div>
  );
}
