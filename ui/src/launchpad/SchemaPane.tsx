/** What the config may hold, beside the editor: keys, types, defaults; those that are written are marked. */
import { useMemo } from "react";

import { schemaRows } from "./assist.model";
import type { ConfigType } from "./configTree.model";
import css from "./Launchpad.module.css";

export function SchemaPane({ tree, text }: { tree: ConfigType; text: string }) {
  const rows = useMemo(() => schemaRows(tree, text), [tree, text]);
  return (
    <aside className={css.schema} aria-label="Config schema">
      <h2 className={css.heading}>Schema</h2>
      {rows.length === 0 ? <p className={css.quiet}>The job takes no config.</p> : null}
      <ul>
        {rows.map((row) => (
          <li
            key={row.path.join("/")}
            className={css.row}
            style={{ paddingLeft: row.depth * 14 }}
            title={row.description ?? row.name}
          >
            <span className={row.present ? css.present : css.absent}>{row.name}</span>
            {row.required && !row.present ? (
              <span className={css.required} title="Required">
                *<span className={css.unseen}>required</span>
              </span>
            ) : null}
            <span className={css.type}>
              {row.type === "mapping" ? "" : row.type}
              {row.default === undefined || row.default === "{}" ? "" : ` = ${row.default}`}
            </span>
          </li>
        ))}
      </ul>
    </aside>
  );
}
