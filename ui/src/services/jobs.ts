/** Jobs: their list, one job's graph, its runs, and the schema of its run config. */
import { gql } from "./gql";
import { METADATA } from "./metadata";
import type {
  CheckJobConfigQuery,
  CheckJobConfigQueryVariables,
  JobDetailQuery,
  JobDetailQueryVariables,
  JobLaunchpadQuery,
  JobLaunchpadQueryVariables,
  JobListQuery,
  JobListQueryVariables,
  JobPartitionKeysQuery,
  JobPartitionKeysQueryVariables,
  JobRunsQuery,
  JobRunsQueryVariables,
} from "./schema.gen";

export const JOB_LIST = gql<JobListQuery, JobListQueryVariables>`
  query JobList {
    repositoriesOrError {
      __typename
      ... on RepositoryConnection {
        nodes {
          location { name }
          jobs {
            name
            description
            isAssetJob
            isPartitioned
            owners
            assetKeys { path }
            schedules { name cronDescription scheduleState { status } }
            sensors { name sensorState { status } }
            runs(limit: 6) { runId status creationTime startTime endTime }
          }
        }
      }
      ... on Error { message }
    }
  }
`;

export const JOB_DETAIL = gql<JobDetailQuery, JobDetailQueryVariables>`
  query JobDetail($selector: PipelineSelector!) {
    pipelineOrError(params: $selector) {
      __typename
      ... on Pipeline {
        name
        description
        isAssetJob
        isPartitioned
        partitionKeyCount
        owners
        sourceRef
        tags { key value }
        runTags { key value }
        metadataEntries { ...Metadata }
        schedules { name cronDescription scheduleState { status } }
        sensors { name sensorState { status } }
        steps {
          key
          opName
          kind
          description
          computeKind
          maxRetries
          timeoutSeconds
          pool
          resources
          assetKeys { path }
          assetChecks
          tags { key value }
          inputs { name typeName upstreamKeys }
          outputs { name typeName isDynamic isRequired }
        }
      }
      ... on Error { message }
    }
  }
  ${METADATA}
`;

export const JOB_RUNS = gql<JobRunsQuery, JobRunsQueryVariables>`
  query JobRuns($filter: RunsFilter!, $limit: Int!) {
    runsOrError(filter: $filter, limit: $limit) {
      __typename
      ... on Runs {
        count
        results {
          runId
          status
          partition
          tags { key value }
          note
          creationTime
          startTime
          endTime
          stepStats { stepKey status startTime endTime }
        }
      }
      ... on Error { message }
    }
  }
`;

export const JOB_LAUNCHPAD = gql<JobLaunchpadQuery, JobLaunchpadQueryVariables>`
  query JobLaunchpad($selector: PipelineSelector!) {
    runConfigSchemaOrError(selector: $selector) {
      __typename
      ... on RunConfigSchema { configTree rootDefaultYaml }
      ... on Error { message }
    }
    pipelineOrError(params: $selector) {
      __typename
      ... on Pipeline {
        isPartitioned
        runTags { key value }
        partitionKeysOrError(limit: 2000, reverse: true) { partitionKeys hasMore }
        runs(limit: 1) { runId runConfigYaml }
      }
    }
  }
`;

export const JOB_PARTITION_KEYS = gql<JobPartitionKeysQuery, JobPartitionKeysQueryVariables>`
  query JobPartitionKeys($selector: PipelineSelector!) {
    pipelineOrError(params: $selector) {
      __typename
      ... on Pipeline { partitionKeysOrError(limit: 50000) { partitionKeys hasMore } }
      ... on Error { message }
    }
  }
`;

export const CHECK_JOB_CONFIG = gql<CheckJobConfigQuery, CheckJobConfigQueryVariables>`
  query CheckJobConfig($selector: PipelineSelector!, $config: RunConfigData) {
    isPipelineConfigValid(pipeline: $selector, runConfigData: $config) {
      __typename
      ... on RunConfigValidationInvalid { errors { message path reason } }
      ... on Error { message }
    }
  }
`;
