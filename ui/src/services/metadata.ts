/** What is known about things beyond their status: metadata, as the API gives it. */
import { gql } from "./gql";
import type { MetadataFragment } from "./schema.gen";

/** One metadata entry of any kind, with its whole value. */
export type Metadata = MetadataFragment;

export const METADATA = gql`
  fragment Metadata on MetadataEntry {
    __typename
    label
    description
    ... on TextMetadataEntry { text }
    ... on MarkdownMetadataEntry { mdStr }
    ... on IntMetadataEntry { intValue intRepr }
    ... on FloatMetadataEntry { floatValue floatRepr }
    ... on BoolMetadataEntry { boolValue }
    ... on JsonMetadataEntry { jsonString }
    ... on UrlMetadataEntry { url }
    ... on PathMetadataEntry { path }
    ... on NotebookMetadataEntry { path }
    ... on TimestampMetadataEntry { timestamp }
    ... on AssetMetadataEntry { assetKey { path } }
    ... on PipelineRunMetadataEntry { runId }
    ... on JobMetadataEntry { jobName locationName }
    ... on PoolMetadataEntry { pool }
    ... on PythonArtifactMetadataEntry { module name }
    ... on CodeReferencesMetadataEntry {
      codeReferences {
        __typename
        ... on LocalFileCodeReference { filePath lineNumber label }
        ... on UrlCodeReference { url label }
      }
    }
    ... on TableMetadataEntry { table { records schema { columns { name type description } } } }
    ... on TableSchemaMetadataEntry {
      schema {
        columns { name type description constraints { nullable unique other } tags { key value } }
        constraints { other }
      }
    }
    ... on TableColumnLineageMetadataEntry {
      lineage { columnName columnDeps { assetKey { path } columnName } }
    }
  }
`;

/** The numbers of a materialization, without its heavier values: what plots over time need. */
export const NUMBERS = gql`
  fragment Numbers on MaterializationEvent {
    eventId
    runId
    timestamp
    partition
    metadataEntries {
      __typename
      label
      ... on IntMetadataEntry { intValue intRepr }
      ... on FloatMetadataEntry { floatValue }
    }
  }
`;
