/** Runs: lists, one run, its log, and what can be done with them. */
import { PYTHON_ERROR } from "./errors";
import { ask, gql } from "./gql";
import { METADATA } from "./metadata";
import type {
  DeleteRunMutation,
  DeleteRunMutationVariables,
  MergedLogQuery,
  MergedLogQueryVariables,
  ReexecuteRunMutation,
  ReexecuteRunMutationVariables,
  ReexecutionParams,
  RunDetailQuery,
  RunDetailQueryVariables,
  RunEventsQuery,
  RunEventsQueryVariables,
  RunEventFragment,
  RunFamilyQuery,
  RunFamilyQueryVariables,
  RunRowFragment,
  RunsPageQuery,
  RunsPageQueryVariables,
  RunStatus,
  TerminateManyRunsMutation,
  TerminateManyRunsMutationVariables,
  TerminateRunPolicy,
} from "./schema.gen";

export type RunRow = RunRowFragment;
export type RunEvent = RunEventFragment;
export type RunDetail = Extract<RunDetailQuery["runOrError"], { __typename: "Run" }>;

/** Statuses by what a reader asks for. */
export const UNENDED: readonly RunStatus[] = ["QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING"];
export const ACTIVE: readonly RunStatus[] = ["STARTING", "STARTED", "CANCELING"];

export function hasEnded(status: RunStatus): boolean {
  return status === "SUCCESS" || status === "FAILURE" || status === "CANCELED";
}

export const runTopic = (runId: string): string => `run:${runId}`;

/** What steps of the run print. */
export const outputTopic = (runId: string): string => `logs:${runId}`;

export const RUN_ROW = gql`
  fragment RunRow on Run {
    id
    runId
    status
    jobName
    repositoryLocationName
    partition
    tags { key value }
    assetSelection { path }
    creationTime
    startTime
    endTime
    note
    canTerminate
    parentRunId
    failure { stepKey message }
  }
`;

export const RUNS_PAGE = gql<RunsPageQuery, RunsPageQueryVariables>`
  query RunsPage($filter: RunsFilter!, $cursor: String, $limit: Int!, $all: RunsFilter!, $queued: RunsFilter!, $active: RunsFilter!, $failed: RunsFilter!) {
    runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {
      __typename
      ... on Runs { count countIsWhole cursor results { ...RunRow } }
      ... on Error { message }
    }
    queued: runsOrError(filter: $queued, limit: 0) { __typename ... on Runs { count countIsWhole } }
    active: runsOrError(filter: $active, limit: 0) { __typename ... on Runs { count countIsWhole } }
    failed: runsOrError(filter: $failed, limit: 0) { __typename ... on Runs { count countIsWhole } }
    all: runsOrError(filter: $all, limit: 0) { __typename ... on Runs { count countIsWhole } }
  }
  ${RUN_ROW}
`;

export const RUN_DETAIL = gql<RunDetailQuery, RunDetailQueryVariables>`
  query RunDetail($runId: ID!) {
    runOrError(runId: $runId) {
      __typename
      ... on Run {
        ...RunRow
        runConfigYaml
        stepKeysToExecute
        assetCheckSelection
        rootRunId
        attempt
        queuedTime
        launchTime
        failure { stepKey message eventId error { ...PythonError } }
        stats { stepsSucceeded stepsFailed materializations }
        stepStats {
          stepKey status workerStartTime startTime endTime
          attempts { startTime endTime figures { queued starting loading computing storing cpu peakMemory shared } }
        }
        executionPlan { steps { key kind computeKind inputs { upstreamKeys } } }
        assets { path }
        capturedLogKeys { logKey fileKey stepKeys }
        logKept
        pendingSteps { stepKey reason }
      }
      ... on Error { message }
    }
  }
  ${RUN_ROW}
  ${PYTHON_ERROR}
`;

export const RUN_FAMILY = gql<RunFamilyQuery, RunFamilyQueryVariables>`
  query RunFamily($runId: ID!) {
    runGroupOrError(runId: $runId) {
      __typename
      ... on RunGroup { rootRunId runs { ...RunRow } }
      ... on Error { message }
    }
  }
  ${RUN_ROW}
`;

const RUN_EVENT = gql`
  fragment RunEvent on MessageEvent {
    __typename
    eventId
    message
    timestamp
    level
    stepKey
    eventType
    ... on LogMessageEvent { logger error { ...PythonError } }
    ... on EngineEvent { metadataEntries { ...Metadata } error { ...PythonError } }
    ... on RunFailureEvent { error { ...PythonError } failedStepKeys reason }
    ... on ExecutionStepFailureEvent { error { ...PythonError } errorSource metadataEntries { ...Metadata } }
    ... on ExecutionStepUpForRetryEvent { error { ...PythonError } secondsToWait }
    ... on ExecutionStepOutputEvent { outputName mappingKey metadataEntries { ...Metadata } }
    ... on HandledOutputEvent { outputName managerKey metadataEntries { ...Metadata } }
    ... on LoadedInputEvent { inputName managerKey metadataEntries { ...Metadata } }
    ... on MaterializationEvent { assetKey { path } partition description metadataEntries { ...Metadata } }
    ... on ObservationEvent { assetKey { path } partition description metadataEntries { ...Metadata } }
    ... on AssetMaterializationPlannedEvent { assetKey { path } partition }
    ... on AssetCheckEvaluationEvent {
      evaluation { checkName assetKey { path } success severity description metadataEntries { ...Metadata } }
    }
  }
  ${PYTHON_ERROR}
  ${METADATA}
`;

export const RUN_EVENTS = gql<RunEventsQuery, RunEventsQueryVariables>`
  query RunEvents($runId: ID!, $after: String, $limit: Int!, $steps: [String!], $types: [String!], $levels: [LogLevel!], $text: String) {
    logsForRun(runId: $runId, afterCursor: $after, limit: $limit, stepKeys: $steps, types: $types, levels: $levels, text: $text) {
      __typename
      ... on EventConnection { cursor hasMore events { ...RunEvent } }
      ... on Error { message }
    }
  }
  ${RUN_EVENT}
`;

export const MERGED_LOG = gql<MergedLogQuery, MergedLogQueryVariables>`
  query MergedLog($runId: ID!, $cursor: String, $limit: Int!, $steps: [String!], $text: String) {
    mergedLogs(runId: $runId, cursor: $cursor, limit: $limit, stepKeys: $steps, text: $text) {
      __typename
      ... on MergedLogs { cursor hasMore entries { fileKey stream text timestamp event { __typename eventId eventType level stepKey } } }
      ... on Error { message }
    }
  }
`;

export type MergedEntry = Extract<MergedLogQuery["mergedLogs"], { __typename: "MergedLogs" }>["entries"][number];

const TERMINATE = gql<TerminateManyRunsMutation, TerminateManyRunsMutationVariables>`
  mutation TerminateManyRuns($runIds: [String!]!, $policy: TerminateRunPolicy) {
    terminateRuns(runIds: $runIds, terminatePolicy: $policy) {
      __typename
      ... on TerminateRunsResult { terminateRunResults { __typename ... on Error { message } } }
      ... on Error { message }
    }
  }
`;

const REEXECUTE = gql<ReexecuteRunMutation, ReexecuteRunMutationVariables>`
  mutation ReexecuteRun($params: ReexecutionParams!) {
    launchRunReexecution(reexecutionParams: $params) {
      __typename
      ... on LaunchRunSuccess { run { runId } }
      ... on RunConfigValidationInvalid { errors { message } }
      ... on Error { message }
    }
  }
`;

const DELETE = gql<DeleteRunMutation, DeleteRunMutationVariables>`
  mutation DeleteRun($runId: String!) {
    deleteRun(runId: $runId) { __typename ... on Error { message } }
  }
`;

/** Operations whose answers change when a run changes. */
export const RUN_OPERATIONS = ["RunsPage", "RunDetail", "RunFamily", "Overview"] as const;

/**
 * Asks runs to stop.
 *
 * @throws Error that says which of them would not, and why.
 */
export async function terminateRuns(runIds: string[], policy: TerminateRunPolicy = "SAFE_TERMINATE"): Promise<void> {
  const { terminateRuns: answer } = await ask(TERMINATE, { runIds, policy });
  if (answer.__typename !== "TerminateRunsResult") throw new Error(answer.message);
  const refused = answer.terminateRunResults.flatMap((result) =>
    result.__typename === "TerminateRunSuccess" ? [] : [result.message],
  );
  if (refused.length > 0) throw new Error([...new Set(refused)].join("\n"));
}

/**
 * Runs a run's job again.
 *
 * @returns the new run's id.
 * @throws Error that says why there is none.
 */
export async function reexecuteRun(params: ReexecutionParams): Promise<string> {
  const { launchRunReexecution: answer } = await ask(REEXECUTE, { params });
  if (answer.__typename === "LaunchRunSuccess") return answer.run.runId;
  if (answer.__typename === "RunConfigValidationInvalid") {
    throw new Error(`The run's config no longer fits the job: ${answer.errors.map((error) => error.message).join("; ")}`);
  }
  throw new Error(answer.message);
}

/**
 * Removes an ended run and its events.
 *
 * @throws Error that says why it stays.
 */
export async function deleteRun(runId: string): Promise<void> {
  const { deleteRun: answer } = await ask(DELETE, { runId });
  if (answer.__typename !== "DeletePipelineRunSuccess") throw new Error(answer.message);
}
