/** Launching: one run, or one run for each of many partitions. */
import { ask, gql } from "./gql";
import type {
  ExecutionParams,
  LaunchBackfillMutation,
  LaunchBackfillMutationVariables,
  LaunchBackfillParams,
  LaunchOneRunMutation,
  LaunchOneRunMutationVariables,
} from "./schema.gen";

const LAUNCH_RUN = gql<LaunchOneRunMutation, LaunchOneRunMutationVariables>`
  mutation LaunchOneRun($params: ExecutionParams!) {
    launchRun(executionParams: $params) {
      __typename
      ... on LaunchRunSuccess { run { runId } }
      ... on RunConfigValidationInvalid { errors { message path reason } }
      ... on Error { message }
    }
  }
`;

const LAUNCH_BACKFILL = gql<LaunchBackfillMutation, LaunchBackfillMutationVariables>`
  mutation LaunchBackfill($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
      __typename
      ... on LaunchBackfillSuccess { backfillId launchedRunIds }
      ... on RunConfigValidationInvalid { errors { message path reason } }
      ... on Error { message }
    }
  }
`;

export interface ConfigMistake {
  readonly message: string;
  readonly path: readonly string[];
}

/** The server refused to launch; `mistakes` are those of the run config. */
export class LaunchRefused extends Error {
  override readonly name = "LaunchRefused";
  constructor(
    message: string,
    readonly mistakes: readonly ConfigMistake[] = [],
  ) {
    super(message);
  }
}

/** What a launch made. */
export interface Launched {
  readonly runIds: readonly string[];
  readonly backfillId?: string;
}

/**
 * Makes one run.
 *
 * @throws LaunchRefused when the server says why it does not.
 */
export async function launchRun(params: ExecutionParams): Promise<Launched> {
  const { launchRun: answer } = await ask(LAUNCH_RUN, { params });
  if (answer.__typename === "LaunchRunSuccess") return { runIds: [answer.run.runId] };
  throw refusal(answer);
}

/**
 * Makes one run for each chosen partition.
 *
 * @throws LaunchRefused when the server says why it does not.
 */
export async function launchBackfill(params: LaunchBackfillParams): Promise<Launched> {
  const { launchPartitionBackfill: answer } = await ask(LAUNCH_BACKFILL, { params });
  if (answer.__typename === "LaunchBackfillSuccess") {
    return { runIds: answer.launchedRunIds, backfillId: answer.backfillId };
  }
  throw refusal(answer);
}

function refusal(answer: { message: string } | { errors: ConfigMistake[] }): LaunchRefused {
  if ("message" in answer) return new LaunchRefused(answer.message);
  const count = answer.errors.length;
  return new LaunchRefused(`The run config has ${count} ${count === 1 ? "mistake" : "mistakes"}.`, answer.errors);
}
