/** Assets: the documents of their pages, and the topics that make them stale. */
import { gql } from "./gql";
import { METADATA, NUMBERS } from "./metadata";
import type {
  AssetAtAGlanceQuery,
  AssetAtAGlanceQueryVariables,
  AssetBackfillPreviewQuery,
  AssetBackfillPreviewQueryVariables,
  AssetCardFragment,
  AssetCheckHistoryQuery,
  AssetCheckHistoryQueryVariables,
  AssetCheckStateFragment,
  AssetEvaluationsQuery,
  AssetEvaluationsQueryVariables,
  AssetEventsQuery,
  AssetEventsQueryVariables,
  AssetGraphQuery,
  AssetGraphQueryVariables,
  AssetHeadQuery,
  AssetHeadQueryVariables,
  AssetOverviewQuery,
  AssetOverviewQueryVariables,
  AssetPartitionDetailQuery,
  AssetPartitionDetailQueryVariables,
  AssetPartitionKeysQuery,
  AssetPartitionKeysQueryVariables,
  AssetPartitionSetsQuery,
  AssetPartitionSetsQueryVariables,
  AssetPartitionsQuery,
  AssetPartitionsQueryVariables,
} from "./schema.gen";

/** What is known of one asset at a glance. */
export type AssetCard = AssetCardFragment;
/** An asset as its own page shows it. */
export type AssetHead = NonNullable<Extract<AssetHeadQuery["assetOrError"], { __typename: "Asset" }>["definition"]>;
/** All assets, as they are sent: what belongs to one is at the same position in each column. */
export type AssetColumns = AssetGraphQuery["assetColumns"];
export type AssetCheckState = AssetCheckStateFragment;

export const ASSET_TOPICS = ["assets", "locations"] as const;

const ASSET_CARD = gql`
  fragment AssetCard on AssetNode {
    assetKey { path }
    description
    groupName
    kinds
    owners
    isExecutable
    isMaterializable
    isObservable
    isPartitioned
    repository { location { name } }
    dependencyKeys { path }
    partitionDefinition { type description firstKey lastKey }
    latestInfo {
      status
      latestMaterializationTimestamp
      unstartedRunIds
      inProgressRunIds
      failedChecks
      warnedChecks
      totalChecks
      latestRun { runId }
      partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    }
  }
`;

const CHECK_STATE = gql`
  fragment AssetCheckState on AssetCheck {
    name
    description
    blocking
    latestExecution {
      runId
      status
      timestamp
      stale
      evaluation { success severity description metadataEntries { ...Metadata } }
    }
  }
`;

const EVENT = gql`
  fragment AssetMaterialization on MaterializationEvent {
    eventId
    runId
    timestamp
    stepKey
    partition
    description
    metadataEntries { ...Metadata }
    tags { key value }
  }
`;

const OBSERVATION = gql`
  fragment AssetObservation on ObservationEvent {
    eventId
    runId
    timestamp
    stepKey
    partition
    description
    metadataEntries { ...Metadata }
    tags { key value }
  }
`;

/** Every defined asset with its latest state: the catalogue and the lineage are two views of it. */
export const ASSET_GRAPH = gql<AssetGraphQuery, AssetGraphQueryVariables>`
  query AssetGraph {
    assetColumns {
      path
      description
      groupName
      kinds
      owners
      locationName
      isExecutable
      isMaterializable
      isPartitioned
      dependencies
      outsidePath
      status
      latestMaterializationTimestamp
      failedChecks
      warnedChecks
      totalChecks
      partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    }
  }
`;

export const ASSET_AT_A_GLANCE = gql<AssetAtAGlanceQuery, AssetAtAGlanceQueryVariables>`
  query AssetAtAGlance($key: AssetKeyInput!) {
    assetNodeOrError(assetKey: $key) {
      __typename
      ... on AssetNode { ...AssetCard }
    }
  }
  ${ASSET_CARD}
`;

export const ASSET_HEAD = gql<AssetHeadQuery, AssetHeadQueryVariables>`
  query AssetHead($key: AssetKeyInput!) {
    assetOrError(assetKey: $key) {
      __typename
      ... on Asset {
        key { path }
        latestMaterializationTimestamp
        latestObservationTimestamp
        definition {
          ...AssetCard
          dependedByKeys { path }
          codeVersion
          dataVersion
          staleStatus
          staleCauses { key { path } reason }
          automationCondition { label expandedLabel }
          freshnessStatusInfo { freshnessStatus }
          internalFreshnessPolicy {
            __typename
            ... on TimeWindowFreshnessPolicy { failWindowSeconds }
            ... on CronFreshnessPolicy { deadlineCron timezone }
          }
          ioManagerKey
          sourceRef
          opName
          jobNames
          tags { key value }
          metadataEntries { ...Metadata }
          assetChecks { ...AssetCheckState }
        }
      }
      ... on AssetNotFoundError { message }
    }
  }
  ${ASSET_CARD} ${METADATA} ${CHECK_STATE}
`;

export const ASSET_OVERVIEW = gql<AssetOverviewQuery, AssetOverviewQueryVariables>`
  query AssetOverview($key: AssetKeyInput!) {
    assetOrError(assetKey: $key) {
      __typename
      ... on Asset {
        latest: assetMaterializations(limit: 1) {
          ...AssetMaterialization
          stepStats { startTime endTime attempts { figures { peakMemory shared } } }
        }
        observed: assetObservations(limit: 1) { ...AssetObservation }
        history: assetMaterializations(limit: 400) { ...Numbers }
      }
    }
  }
  ${EVENT} ${OBSERVATION} ${METADATA} ${NUMBERS}
`;

export const ASSET_EVENTS = gql<AssetEventsQuery, AssetEventsQueryVariables>`
  query AssetEvents($key: AssetKeyInput!, $limit: Int!) {
    assetOrError(assetKey: $key) {
      __typename
      ... on Asset {
        assetMaterializations(limit: $limit) { __typename ...AssetMaterialization }
        assetObservations(limit: $limit) { __typename ...AssetObservation }
      }
    }
  }
  ${EVENT} ${OBSERVATION} ${METADATA}
`;

export const ASSET_PARTITIONS = gql<AssetPartitionsQuery, AssetPartitionsQueryVariables>`
  query AssetPartitions($key: AssetKeyInput!) {
    assetNodeOrError(assetKey: $key) {
      __typename
      ... on AssetNode {
        partitionDefinition { type description firstKey lastKey }
        partitionStats { numPartitions }
        partitionPositions { materialized failed materializing }
      }
    }
  }
`;

/** Which of some assets have the same partitions. */
export const ASSET_PARTITION_SETS = gql<AssetPartitionSetsQuery, AssetPartitionSetsQueryVariables>`
  query AssetPartitionSets($keys: [AssetKeyInput!]!) {
    assetNodes(assetKeys: $keys) { assetKey { path } partitionSetId }
  }
`;

/** Of which assets a backfill over named partitions would make any. */
export const ASSET_BACKFILL_PREVIEW = gql<AssetBackfillPreviewQuery, AssetBackfillPreviewQueryVariables>`
  query AssetBackfillPreview($params: AssetBackfillPreviewParams!) {
    assetBackfillPreview(params: $params) { assetKey { path } }
  }
`;

export const ASSET_PARTITION_KEYS = gql<AssetPartitionKeysQuery, AssetPartitionKeysQueryVariables>`
  query AssetPartitionKeys($key: AssetKeyInput!) {
    assetNodeOrError(assetKey: $key) {
      __typename
      ... on AssetNode {
        assetKey { path }
        partitionDefinition { dimensionTypes { name isPrimaryDimension } }
        partitionKeysByDimension { name partitionKeys }
      }
    }
  }
`;

export const ASSET_PARTITION_DETAIL = gql<AssetPartitionDetailQuery, AssetPartitionDetailQueryVariables>`
  query AssetPartitionDetail($key: AssetKeyInput!, $partition: String!) {
    assetNodeOrError(assetKey: $key) {
      __typename
      ... on AssetNode {
        partition(key: $partition) {
          status
          runId
          latestMaterialization { ...AssetMaterialization }
        }
      }
    }
  }
  ${EVENT} ${METADATA}
`;

export const ASSET_CHECK_HISTORY = gql<AssetCheckHistoryQuery, AssetCheckHistoryQueryVariables>`
  query AssetCheckHistory($key: AssetKeyInput!, $check: String!) {
    assetCheckExecutions(assetKey: $key, checkName: $check, limit: 50) {
      id
      runId
      status
      timestamp
      evaluation { success severity description partition metadataEntries { ...Metadata } }
    }
  }
  ${METADATA}
`;

export const ASSET_EVALUATIONS = gql<AssetEvaluationsQuery, AssetEvaluationsQueryVariables>`
  query AssetEvaluations($key: AssetKeyInput!, $limit: Int!) {
    assetConditionEvaluationRecordsOrError(assetKey: $key, limit: $limit) {
      __typename
      ... on AssetConditionEvaluationRecords {
        records {
          id
          timestamp
          numRequested
          runIds
          backfillId
          evaluationNodes {
            uniqueId
            operatorType
            expandedLabel
            meaning
            entity
            isPartitioned
            numTrue
            numCandidates
            truePartitions
          }
        }
      }
    }
  }
`;
