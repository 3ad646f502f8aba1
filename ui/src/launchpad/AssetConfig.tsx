/** The run config of a launch of assets, to be looked at and changed before it. */
import { Failure } from "../kit/ErrorPanel";
import { Skeleton } from "../kit/Skeleton";
import { useData } from "../services/data";
import { JOB_CONFIG_SCHEMA } from "../services/jobs";
import type { PipelineSelector } from "../services/schema.gen";
import css from "./AssetConfig.module.css";
import ConfigEditor from "./ConfigEditor";
import type { ConfigType } from "./configTree.model";

interface AssetConfigProps {
  selector: PipelineSelector;
  /** What was written; none until something was. */
  text: string | undefined;
  onChange: (text: string) => void;
  onVerdict: (isWrong: boolean) => void;
  onSubmit: () => void;
}

export default function AssetConfig({ selector, text, onChange, onVerdict, onSubmit }: AssetConfigProps) {
  const answer = useData(JOB_CONFIG_SCHEMA, { selector });
  if (answer.error) return <Failure error={answer.error} title="The config schema could not be read." />;
  const schema = answer.data?.runConfigSchemaOrError;
  if (!schema) return <Skeleton rows={4} />;
  if (schema.__typename !== "RunConfigSchema") return <Failure error={new Error(schema.message)} />;
  return (
    <>
      <p className={css.hint}>Without one the defaults hold. Ctrl-Space completes, Esc and then Tab leaves the editor.</p>
      <div className={css.frame}>
        <ConfigEditor
          label="Run config"
          selector={selector}
          tree={schema.configTree as ConfigType}
          text={text ?? schema.rootDefaultYaml}
          onChange={onChange}
          onVerdict={onVerdict}
          onSubmit={onSubmit}
        />
      </div>
    </>
  );
}
