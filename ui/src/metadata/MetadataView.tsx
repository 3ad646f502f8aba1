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
import { constraintWords, placeOfCode, prettyJson, tableRows } from "./values.model";

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
      return <Outside url={entry.url} />;
    case "PathMetadataEntry":
    case "NotebookMetadataEntry":
      return <Path path={entry.path} />;
    case "TimestampMetadataEntry":
      return <Time at={entry.timestamp} />;
    case "AssetMetadataEntry":
      return <Link to={links.asset(entry.assetKey.path)}>{entry.assetKey.path.join(" / ")}</Link>;
    case "PipelineRunMetadataEntry":
      return <Link to={links.run(entry.runId)}>{entry.runId}</Link>;
    case "JobMetadataEntry":
      return <Link to={links.job(entry.locationName, entry.jobName)}>{entry.jobName}</Link>;
    case "PoolMetadataEntry":
      return <code>{entry.pool}</code>;
    case "PythonArtifactMetadataEntry":
      return (
        <code>
          <Breakable text={`${entry.module}.${entry.name}`} />
        </code>
      );
    case "CodeReferencesMetadataEntry":
      return <CodeReferences references={entry.codeReferences} />;
    case "TableMetadataEntry":
      return (
        <Records columns={entry.table.schema.columns.map((column) => column.name)} records={entry.table.records} />
      );
    case "TableSchemaMetadataEntry":
      return <Columns columns={entry.schema.columns} constraints={entry.schema.constraints?.other ?? []} />;
    case "TableColumnLineageMetadataEntry":
      return <ColumnLineage lineage={entry.lineage} />;
    case "NullMetadataEntry":
      return <span className={css.none}>null</span>;
  }
}

function Outside({ url, label }: { url: string; label?: string | null }) {
  return isSafeHref(url) ? (
    <a className={css.link} href={url} target="_blank" rel="noopener noreferrer">
      {label ?? url}
    </a>
  ) : (
    (label ?? url)
  );
}

function Path({ path, label }: { path: string; label?: string | null }) {
  return (
    <span className={css.path}>
      {label}
      <code>
        <Breakable text={path} />
      </code>
      <CopyButton text={() => path} label="Copy the path" />
    </span>
  );
}

type Of<Kind extends Metadata["__typename"]> = Extract<Metadata, { __typename: Kind }>;

function CodeReferences({ references }: { references: Of<"CodeReferencesMetadataEntry">["codeReferences"] }) {
  return references.map((each, index) => (
    <div key={index}>
      {each.__typename === "UrlCodeReference" ? (
        <Outside url={each.url} label={each.label} />
      ) : (
        <Path path={placeOfCode(each.filePath, each.lineNumber)} label={each.label} />
      )}
    </div>
  ));
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

interface ColumnsProps {
  columns: Of<"TableSchemaMetadataEntry">["schema"]["columns"];
  constraints: readonly string[];
}

function Columns({ columns, constraints }: ColumnsProps) {
  const words = columns.map((column) => constraintWords(column.constraints));
  const constrained = words.some((each) => each !== "");
  const tagged = columns.some((column) => column.tags.length > 0);
  return (
    <div className={css.block} tabIndex={0} role="region" aria-label="Columns">
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            {constrained ? <th scope="col">Constraints</th> : null}
            {tagged ? <th scope="col">Tags</th> : null}
            <th scope="col">Description</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column, index) => (
            <tr key={column.name}>
              <td>{column.name}</td>
              <td>
                <code>{column.type}</code>
              </td>
              {constrained ? <td>{words[index]}</td> : null}
              {tagged ? (
                <td>{column.tags.map(({ key, value }) => (value ? `${key}: ${value}` : key)).join(", ")}</td>
              ) : null}
              <td className={css.text}>{column.description}</td>
            </tr>
          ))}
        </tbody>
        {constraints.length > 0 ? <caption>{constraints.join(", ")}</caption> : null}
      </table>
    </div>
  );
}

function ColumnLineage({ lineage }: { lineage: Of<"TableColumnLineageMetadataEntry">["lineage"] }) {
  return (
    <div className={css.block} tabIndex={0} role="region" aria-label="Columns and what they are made from">
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Made from</th>
          </tr>
        </thead>
        <tbody>
          {lineage.map(({ columnName, columnDeps }) => (
            <tr key={columnName}>
              <td>{columnName}</td>
              <td>
                {columnDeps.map((dep, index) => (
                  <div key={index}>
                    <Link to={links.asset(dep.assetKey.path)}>{dep.assetKey.path.join(" / ")}</Link> {dep.columnName}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
