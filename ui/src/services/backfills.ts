/** Backfills: their list, one in full, and what can be done with one. */
import { PYTHON_ERROR } from "./errors";
import { ask, gql } from "./gql";
import { RUN_ROW } from "./runs";
import type {
  BackfillAssetQuery,
  BackfillAssetQueryVariables,
  BackfillCardFragment,
  BackfillDetailQuery,
  BackfillDetailQueryVariables,
  BackfillMatrixQuery,
  BackfillMatrixQueryVariables,
  BackfillPageQuery,
  BackfillPageQueryVariables,
  BackfillRunsQuery,
  BackfillRunsQueryVariables,
  CancelBackfillMutation,
  CancelBackfillMutationVariables,
  ChangePriorityOfBackfillMutation,
  ChangePriorityOfBackfillMutationVariables,
  PauseBackfillMutation,
  PauseBackfillMutationVariables,
  ReexecuteBackfillMutation,
  ReexecuteBackfillMutationVariables,
  ResumeBackfillMutation,
  ResumeBackfillMutationVariables,
} from "./schema.gen";

/** Topics whose change makes what is shown of backfills stale. */
export const BACKFILL_TOPICS = ["backfills", "runs"] as const;
/** Operations whose answers change when a backfill is changed. */
export const BACKFILL_OPERATIONS = ["BackfillPage", "BackfillDetail", "BackfillMatrix", "BackfillRuns"] as const;

export type BackfillCard = BackfillCardFragment;
export type BackfillCounts = BackfillCard["partitionStatusCounts"];
export type BackfillDetail = Extract<BackfillDetailQuery["partitionBackfillOrError"], { __typename: "PartitionBackfill" }>;
export type BackfillTarget = BackfillDetail["assetBackfillStatuses"][number];
type Matrix = Extract<BackfillMatrixQuery["partitionBackfillOrError"], { __typename: "PartitionBackfill" }>;
export type MatrixRow = Matrix["assetBackfillStatuses"][number];

const CARD = gql`
  fragment BackfillCard on PartitionBackfill {
    id
    status
    paused
    priority
    title
    user
    timestamp
    endTimestamp
    jobName
    repositoryLocationName
    isAssetBackfill
    firstAssetKey { path }
    numAssets
    numPartitions
    numRuns
    note
    partitionStatusCounts { total waiting inProgress materialized failed skipped canceled }
    pace { partitionsPerHour secondsLeft }
    hasCancelPermission
    hasResumePermission
  }
`;

export const BACKFILL_PAGE = gql<BackfillPageQuery, BackfillPageQueryVariables>`
  query BackfillPage(
    $statuses: [BulkActionStatus!]
    $job: String
    $asset: AssetKeyInput
    $user: String
    $text: String
    $cursor: String
    $limit: Int!
  ) {
    partitionBackfillsOrError(
      filters: { statuses: $statuses, jobName: $job, assetKey: $asset, user: $user, text: $text }
      cursor: $cursor
      limit: $limit
    ) {
      __typename
      ... on PartitionBackfills { cursor results { ...BackfillCard } }
      ... on Error { message }
    }
  }
  ${CARD}
`;

export const BACKFILL_DETAIL = gql<BackfillDetailQuery, BackfillDetailQueryVariables>`
  query BackfillDetail($id: String!) {
    partitionBackfillOrError(backfillId: $id) {
      __typename
      ... on PartitionBackfill {
        ...BackfillCard
        assetSelection { path }
        description
        tags { key value }
        parentBackfillId
        rootBackfillId
        fromFailure
        error { ...PythonError }
        logEvents { timestamp level message }
        assetBackfillStatuses {
          assetKey { path }
          isPartitioned
          counts { total waiting inProgress materialized failed skipped canceled }
        }
      }
      ... on Error { message }
    }
  }
  ${CARD}
  ${PYTHON_ERROR}
`;

export const BACKFILL_MATRIX = gql<BackfillMatrixQuery, BackfillMatrixQueryVariables>`
  query BackfillMatrix($id: String!) {
    partitionBackfillOrError(backfillId: $id) {
      __typename
      ... on PartitionBackfill {
        assetBackfillStatuses {
          assetKey { path }
          isPartitioned
          positions { waiting inProgress materialized failed skipped canceled }
        }
      }
      ... on Error { message }
    }
  }
`;

export const BACKFILL_ASSET = gql<BackfillAssetQuery, BackfillAssetQueryVariables>`
  query BackfillAsset($id: String!, $key: AssetKeyInput!, $start: Int!, $limit: Int!) {
    partitionBackfillOrError(backfillId: $id) {
      __typename
      ... on PartitionBackfill {
        assetBackfillStatus(assetKey: $key) { partitionKeys(start: $start, limit: $limit) }
      }
      ... on Error { message }
    }
  }
`;

export const BACKFILL_RUNS = gql<BackfillRunsQuery, BackfillRunsQueryVariables>`
  query BackfillRuns($id: String!, $limit: Int!) {
    partitionBackfillOrError(backfillId: $id) {
      __typename
      ... on PartitionBackfill { numRuns runs(limit: $limit) { ...RunRow } }
      ... on Error { message }
    }
  }
  ${RUN_ROW}
`;

const CANCEL = gql<CancelBackfillMutation, CancelBackfillMutationVariables>`
  mutation CancelBackfill($id: String!) {
    cancelPartitionBackfill(backfillId: $id) { __typename ... on Error { message } }
  }
`;

const PAUSE = gql<PauseBackfillMutation, PauseBackfillMutationVariables>`
  mutation PauseBackfill($id: String!) {
    pausePartitionBackfill(backfillId: $id) { __typename ... on Error { message } }
  }
`;

const RESUME = gql<ResumeBackfillMutation, ResumeBackfillMutationVariables>`
  mutation ResumeBackfill($id: String!) {
    resumePartitionBackfill(backfillId: $id) { __typename ... on Error { message } }
  }
`;

const PRIORITY = gql<ChangePriorityOfBackfillMutation, ChangePriorityOfBackfillMutationVariables>`
  mutation ChangePriorityOfBackfill($id: String!, $priority: Int!) {
    changeBackfillPriority(backfillId: $id, priority: $priority) { __typename ... on Error { message } }
  }
`;

const REEXECUTE = gql<ReexecuteBackfillMutation, ReexecuteBackfillMutationVariables>`
  mutation ReexecuteBackfill($params: ReexecutionParams!) {
    reexecutePartitionBackfill(reexecutionParams: $params) {
      __typename
      ... on LaunchBackfillSuccess { backfillId }
      ... on RunConfigValidationInvalid { errors { message } }
      ... on Error { message }
    }
  }
`;

/** @throws Error that says why it goes on. */
export async function cancelBackfill(id: string): Promise<void> {
  refuse((await ask(CANCEL, { id })).cancelPartitionBackfill);
}

/** @throws Error that says why it is not paused. */
export async function pauseBackfill(id: string): Promise<void> {
  refuse((await ask(PAUSE, { id })).pausePartitionBackfill);
}

/** @throws Error that says why it does not go on. */
export async function resumeBackfill(id: string): Promise<void> {
  refuse((await ask(RESUME, { id })).resumePartitionBackfill);
}

/** @throws Error that says why it keeps its priority. */
export async function changePriority(id: string, priority: number): Promise<void> {
  refuse((await ask(PRIORITY, { id, priority })).changeBackfillPriority);
}

/**
 * Asks for all of an ended backfill again, or for what it did not make.
 *
 * @returns the id of the new one.
 * @throws Error that says why there is none.
 */
export async function reexecuteBackfill(id: string, onlyFailed: boolean): Promise<string> {
  const params = { parentRunId: id, strategy: onlyFailed ? ("FROM_FAILURE" as const) : ("ALL_STEPS" as const) };
  const { reexecutePartitionBackfill: answer } = await ask(REEXECUTE, { params });
  if (answer.__typename === "LaunchBackfillSuccess") return answer.backfillId;
  throw new Error("message" in answer ? answer.message : answer.errors.map(({ message }) => message).join("; "));
}

function refuse(answer: { __typename: string } | { message: string }): void {
  if ("message" in answer) throw new Error(answer.message);
}
