/** An asset's key as a reader scans it: the last part strong, what is before it quiet. */
import { Breakable } from "../kit/Breakable";
import css from "./AssetName.module.css";

export function AssetName({ path }: { path: readonly string[] }) {
  return (
    <span className={css.name}>
      {path.length > 1 ? <span className={css.prefix}>{path.slice(0, -1).join(" / ")} / </span> : null}
      <Breakable text={path.at(-1) ?? ""} />
    </span>
  );
}
