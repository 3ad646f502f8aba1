/** Metadata as names and values; every kind of value in the form that serves it. */
import type { ReactNode } from "react";

import { Breakable } from "../kit/Breakable";
import { CopyButton } from "../kit/CopyButton";
import { Link } from "../kit/Link";
import { Time } from "../kit/Time";
import { links } from "../links";
import type { Metadata } from "../services/metadata";
import { isSafeHref } from "./markdown.model";
import { Markdown } from "./Markdown";
import css from "./MetadataView.module.css";
import { prettyJson, tableRows } from "./values.model";

interface MetadataViewProps {
  entries: readonly Metadata[];
}

/** All entries, one below the other. */
export function MetadataView({ entries }: MetadataViewProps) {
  return (
    <dl className={css.list}>
      {entries.map((entry) => (
        <div key={entry.label} className={css.entry}>
          <dt title={entry.description ?? undefined}>
            <Breakable text={entry.label} />
          </dt>
          <dd>
            <MetadataValue entry={entry} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** One value. */
export function MetadataValue({ entry }: { entry: Metadata }): ReactNode {
  switch (entry.__typename) {
    case "TextMetadataEntry":
      return <span className={css.text}>{entry.text}</span>;
    case "MarkdownMetadataEntry":
      return <Markdown source={entry.mdStr} />;
    case "IntMetadataEntry":
      return entry.intValue === null ? entry.intRepr : entry.intValue.toLocaleString("en");
    case "FloatMetadataEntry":
      return entry.floatRepr;
    case "BoolMetadataEntry":
      return entry.boolValue ? "true" : "false";
    case "JsonMetadataEntry":
      return <Json text={entry.jsonString} />;
    case "UrlMetadataEntry":
      return isSafeHref(entry.url) ? (
        <a className={css.link} href={entry.url} target="_blank" rel="noopener noreferrer">
          {entry.url}
        </a>
      ) : (
        entry.url
      );
    case "PathMetadataEntry":
    case "NotebookMetadataEntry":
      return (
        <span className={css.path}>
          <code>
            <Breakable text={entry.path} />
          </code>
          <CopyButton text={() => entry.path} label="Copy the path" />
        </span>
      );
    case "TimestampMetadataEntry":
      return <Time at={entry.timestamp} />;
    case "AssetMetadataEntry":
      return <Link to={links.asset(entry.assetKey.path)}>{entry.assetKey.path.join(" / ")}</Link>;
    case "PipelineRunMetadataEntry":
      return <Link to={links.run(entry.runId)}>{entry.runId}</Link>;
    case "TableMetadataEntry":
      return (
        <Records columns={entry.table.schema.columns.map((column) => column.name)} records={entry.table.records} />
      );
    case "TableSchemaMetadataEntry":
      return <Columns columns={entry.schema.columns} />;
    case "NullMetadataEntry":
      return <span className={css.none}>null</span>;
  }
}

function Json({ text }: { text: string }) {
  const pretty = prettyJson(text);
  if (!pretty.includes("\n")) return <code>{pretty}</code>;
  return (
    <pre className={css.block} tabIndex={0}>
      {pretty}
    </pre>
  );
}

function Records({ columns, records }: { columns: readonly string[]; records: readonly string[] }) {
  const rows = tableRows(columns, records);
  return (
    <div className={css.block} tabIndex={0} role="region" aria-label="Table">
      <table className={css.table}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" className={rows[0]?.[index]?.isNumber ? css.number : undefined}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} className={cell.isNumber ? css.number : undefined}>
                  {cell.text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Columns({ columns }: { columns: readonly { name: string; type: string; description: string | null }[] }) {
  return (
    <div className={css.block} tabIndex={0} role="region" aria-label="Columns">
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">Description</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <td>{column.name}</td>
              <td>
                <code>{column.type}</code>
              </td>
              <td className={css.text}>{column.description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
