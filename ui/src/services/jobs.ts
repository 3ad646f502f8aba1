/** Jobs: their list, one job's graph, its runs, and the schema of its run config. */
import { ask, gql } from "./gql";
import { METADATA } from "./metadata";
import type {
  CheckJobConfigQuery,
  CheckJobConfigQueryVariables,
  JobConfigSchemaQuery,
  JobConfigSchemaQueryVariables,
  JobDetailQuery,
  JobDetailQueryVariables,
  JobFailedTicksQuery,
  JobFailedTicksQueryVariables,
  JobLaunchpadQuery,
  JobLaunchpadQueryVariables,
  JobListQuery,
  JobListQueryVariables,
  JobPartitionConfigQuery,
  JobPartitionConfigQueryVariables,
  JobPartitionKeysQuery,
  JobPartitionKeysQueryVariables,
  JobRunsQuery,
  JobRunsQueryVariables,
  PipelineSelector,
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
            schedules { name cronDescription scheduleState { status override { cronDescription } } }
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
        schedules { name cronDescription scheduleState { status override { cronDescription } } }
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

export const JOB_FAILED_TICKS = gql<JobFailedTicksQuery, JobFailedTicksQueryVariables>`
  query JobFailedTicks($selector: PipelineSelector!) {
    pipelineOrError(params: $selector) {
      __typename
      ... on Pipeline {
        failedTicks(limit: 5) {
          instigationState { id name instigationType repositoryLocationName }
          tick { tickId timestamp error { message className } }
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

export const JOB_CONFIG_SCHEMA = gql<JobConfigSchemaQuery, JobConfigSchemaQueryVariables>`
  query JobConfigSchema($selector: PipelineSelector!) {
    runConfigSchemaOrError(selector: $selector) {
      __typename
      ... on RunConfigSchema { configTree rootDefaultYaml }
      ... on Error { message }
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

const JOB_PARTITION_CONFIG = gql<JobPartitionConfigQuery, JobPartitionConfigQueryVariables>`
  query JobPartitionConfig($selector: PipelineSelector!, $partition: String!) {
    pipelineOrError(params: $selector) {
      __typename
      ... on Pipeline {
        partition(partitionName: $partition) {
          runConfigOrError { __typename ... on PartitionRunConfig { yaml } ... on PythonError { message } }
          tagsOrError { __typename ... on PartitionTags { results { key value } } ... on PythonError { message } }
        }
      }
      ... on Error { message }
    }
  }
`;

/**
 * What user code gives for the run of a partition: its config, and its tags as they are written in a field.
 *
 * @throws Error when there is no such partition, or the code fails.
 */
export async function configOfPartition(selector: PipelineSelector, partition: string): Promise<{ yaml: string; tags: string }> {
  const { pipelineOrError: job } = await ask(JOB_PARTITION_CONFIG, { selector, partition });
  if (job.__typename !== "Pipeline") throw new Error(job.message);
  if (job.partition === null) throw new Error(`There is no partition ${partition}.`);
  const { runConfigOrError: config, tagsOrError: tags } = job.partition;
  if (config.__typename !== "PartitionRunConfig") throw new Error(config.message);
  if (tags.__typename !== "PartitionTags") throw new Error(tags.message);
  return { yaml: config.yaml, tags: tags.results.map(({ key, value }) => `${key}=${value}`).join(", ") };
}
