/** Runs that are made once, at an instant. */
import { ask, gql } from "./gql";
import { LaunchRefused } from "./launch";
import type {
  CancelOneOffMutation,
  CancelOneOffMutationVariables,
  OneOffsQuery,
  OneOffsQueryVariables,
  PlanOneOffMutation,
  PlanOneOffMutationVariables,
} from "./schema.gen";

export const ONE_OFFS = gql<OneOffsQuery, OneOffsQueryVariables>`
  query OneOffs($limit: Int!, $cursor: String) {
    oneOffRuns(limit: $limit, cursor: $cursor) {
      id
      repositoryLocationName
      jobName
      status
      timestamp
      until
      partition
      assetSelection { path }
      actor
      reason
      runId
      note
    }
  }
`;

export type OneOff = OneOffsQuery["oneOffRuns"][number];

const PLAN = gql<PlanOneOffMutation, PlanOneOffMutationVariables>`
  mutation PlanOneOff($params: ExecutionParams!, $timestamp: Float!, $until: Float, $reason: String) {
    planOneOffRun(executionParams: $params, timestamp: $timestamp, until: $until, reason: $reason) {
      __typename
      ... on PlanOneOffRunSuccess { oneOffRun { id timestamp } }
      ... on RunConfigValidationInvalid { errors { message path reason } }
      ... on Error { message }
    }
  }
`;

const CANCEL = gql<CancelOneOffMutation, CancelOneOffMutationVariables>`
  mutation CancelOneOff($id: ID!, $reason: String) {
    cancelOneOffRun(id: $id, reason: $reason) { __typename ... on Error { message } }
  }
`;

/**
 * Has a run made at an instant, or soon after.
 *
 * @throws LaunchRefused when the server says why it does not.
 */
export async function planOneOff(variables: PlanOneOffMutationVariables): Promise<void> {
  const { planOneOffRun: answer } = await ask(PLAN, variables);
  if (answer.__typename === "PlanOneOffRunSuccess") return;
  if (answer.__typename === "RunConfigValidationInvalid") throw new LaunchRefused("The run config has mistakes.", answer.errors);
  throw new LaunchRefused(answer.message);
}

/** @throws Error that says why it is still made. */
export async function cancelOneOff(id: string, reason: string): Promise<void> {
  const { cancelOneOffRun: answer } = await ask(CANCEL, { id, reason: reason || null });
  if (answer.__typename !== "CancelOneOffRunSuccess") throw new Error(answer.message);
}
