/** Schedules and sensors: their list, one's ticks, and their switches. */
import { PYTHON_ERROR } from "./errors";
import { ask, type Document, gql } from "./gql";
import type {
  AutomationListQuery,
  AutomationListQueryVariables,
  AutomationTickFragment,
  CreateTokenMutation,
  CreateTokenMutationVariables,
  DryRunScheduleMutation,
  DryRunScheduleMutationVariables,
  DryRunSensorMutation,
  DryRunSensorMutationVariables,
  OperatorActFragment,
  OperatorActsQuery,
  OperatorActsQueryVariables,
  OverrideFragment,
  RemoveInstigationMutation,
  RemoveInstigationMutationVariables,
  ResetScheduleMutation,
  ResetScheduleMutationVariables,
  ResetSensorMutation,
  ResetSensorMutationVariables,
  RestoreInstigationMutation,
  RestoreInstigationMutationVariables,
  RevokeTokenMutation,
  RevokeTokenMutationVariables,
  ScheduleDetailQuery,
  ScheduleDetailQueryVariables,
  SensorDetailQuery,
  SensorDetailQueryVariables,
  ScheduleSelector,
  SensorSelector,
  SetCursorMutation,
  SetCursorMutationVariables,
  SetOverrideMutation,
  SetOverrideMutationVariables,
  StartScheduleMutation,
  StartScheduleMutationVariables,
  StartSensorMutation,
  StartSensorMutationVariables,
  StopScheduleMutation,
  StopScheduleMutationVariables,
  StopSensorMutation,
  StopSensorMutationVariables,
  TickBeforeQuery,
  TickBeforeQueryVariables,
  WithdrawOverrideMutation,
  WithdrawOverrideMutationVariables,
  WithoutCodeQuery,
  WithoutCodeQueryVariables,
} from "./schema.gen";

export type AutomationTick = AutomationTickFragment;
export type Override = OverrideFragment;
export type OperatorAct = OperatorActFragment;
export type WithoutCode = WithoutCodeQuery["instigationsWithoutCode"][number];

export const AUTOMATION_TOPICS = ["ticks", "instigators", "locations"] as const;
/** Operations whose answers a switch changes. */
export const AUTOMATION_OPERATIONS = ["AutomationList", "ScheduleDetail", "SensorDetail", "WithoutCode", "OperatorActs", "OverviewFailing"] as const;

const TICK = gql`
  fragment AutomationTick on InstigationTick {
    tickId
    status
    timestamp
    startTimestamp
    endTimestamp
    lateness
    runKeys
    skipReason
    cursor
    logs
    backfillId
    runs { runId status }
    error { ...PythonError }
  }
`;

const OVERRIDE = gql`
  fragment Override on InstigationOverride {
    pausedUntil
    cronSchedule
    cronDescription
    executionTimezone
    dstGap
    dstFold
    intervalSeconds
    runConfigYaml
    hasRunConfig
    tags { key value }
    actor
    reason
    timestamp
  }
`;

const ACT = gql`
  fragment OperatorAct on OperatorAct {
    id
    subject
    kind
    timestamp
    actor
    reason
    cursor
    before
    after
    override { ...Override }
  }
`;

const STATE = gql`
  fragment SwitchState on InstigationState {
    id
    status
    declaredInCode
    cursor
    lastRunKey
    lastTickTime
    nextTick { timestamp }
    heldBack
    override { ...Override }
  }
`;

const DRY_RUN = gql`
  fragment DryRun on DryRunInstigationTick {
    timestamp
    evaluationResult {
      skipReason
      cursor
      logs
      error { ...PythonError }
      runRequests { runKey jobName partition runConfigYaml tags { key value } assetSelection { path } }
      backfillRequest { numPartitions tags { key value } assetSelection { path } }
    }
  }
`;

export const AUTOMATION_LIST = gql<AutomationListQuery, AutomationListQueryVariables>`
  query AutomationList {
    repositoriesOrError {
      __typename
      ... on RepositoryConnection {
        nodes {
          location { name }
          schedules {
            name
            description
            cronSchedule
            cronDescription
            executionTimezone
            pipelineName
            scheduleState { ...SwitchState ticks(limit: 8) { tickId status timestamp } }
          }
          sensors {
            name
            description
            sensorType
            minIntervalSeconds
            onEvents
            targets { pipelineName }
            sensorState { ...SwitchState ticks(limit: 8) { tickId status timestamp } }
          }
        }
      }
      ... on Error { message }
    }
  }
  ${STATE} ${OVERRIDE}
`;

export const SCHEDULE_DETAIL = gql<ScheduleDetailQuery, ScheduleDetailQueryVariables>`
  query ScheduleDetail($selector: ScheduleSelector!, $statuses: [InstigationTickStatus!], $limit: Int!) {
    scheduleOrError(scheduleSelector: $selector) {
      __typename
      ... on Schedule {
        name
        description
        cronSchedule
        cronDescription
        executionTimezone
        pipelineName
        defaultStatus
        canReset
        sourceRef
        tags { key value }
        dstGap
        dstFold
        maxCatchupRuns
        timeoutSeconds
        futureTicks(limit: 5) { results { timestamp clockChange } }
        scheduleState {
          ...SwitchState
          lateness { ticks p50 p99 max }
          acts(limit: 10) { ...OperatorAct }
          ticks(limit: $limit, statuses: $statuses) { ...AutomationTick }
        }
      }
      ... on Error { message }
    }
  }
  ${STATE} ${OVERRIDE} ${ACT} ${TICK} ${PYTHON_ERROR}
`;

export const SENSOR_DETAIL = gql<SensorDetailQuery, SensorDetailQueryVariables>`
  query SensorDetail($selector: SensorSelector!, $statuses: [InstigationTickStatus!], $limit: Int!) {
    sensorOrError(sensorSelector: $selector) {
      __typename
      ... on Sensor {
        name
        description
        sensorType
        minIntervalSeconds
        metadata { assetKeys { path } }
        targets { pipelineName }
        defaultStatus
        canReset
        sourceRef
        tags { key value }
        onEvents
        webhook {
          path
          headers
          pending
          tokens { id hint created }
          requests(limit: 20) { id received status size idempotencyKey failedAttempts tickId ended }
        }
        timeoutSeconds
        sensorState {
          ...SwitchState
          lateness { ticks p50 p99 max }
          acts(limit: 10) { ...OperatorAct }
          ticks(limit: $limit, statuses: $statuses) { ...AutomationTick }
        }
      }
      ... on Error { message }
    }
  }
  ${STATE} ${OVERRIDE} ${ACT} ${TICK} ${PYTHON_ERROR}
`;

/** The newest tick before a cursor. */
export const TICK_BEFORE = gql<TickBeforeQuery, TickBeforeQueryVariables>`
  query TickBefore($selector: InstigationSelector!, $cursor: String!) {
    instigationStateOrError(instigationSelector: $selector) {
      __typename
      ... on InstigationState { id ticks(limit: 1, cursor: $cursor) { ...AutomationTick } }
      ... on Error { message }
    }
  }
  ${TICK} ${PYTHON_ERROR}
`;

const START_SCHEDULE = gql<StartScheduleMutation, StartScheduleMutationVariables>`
  mutation StartSchedule($selector: ScheduleSelector!, $reason: String) {
    answer: startSchedule(scheduleSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

const STOP_SCHEDULE = gql<StopScheduleMutation, StopScheduleMutationVariables>`
  mutation StopSchedule($selector: ScheduleSelector!, $reason: String) {
    answer: stopRunningSchedule(scheduleSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

const RESET_SCHEDULE = gql<ResetScheduleMutation, ResetScheduleMutationVariables>`
  mutation ResetSchedule($selector: ScheduleSelector!, $reason: String) {
    answer: resetSchedule(scheduleSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

const START_SENSOR = gql<StartSensorMutation, StartSensorMutationVariables>`
  mutation StartSensor($selector: SensorSelector!, $reason: String) {
    answer: startSensor(sensorSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

const STOP_SENSOR = gql<StopSensorMutation, StopSensorMutationVariables>`
  mutation StopSensor($selector: SensorSelector!, $reason: String) {
    answer: stopSensor(sensorSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

const RESET_SENSOR = gql<ResetSensorMutation, ResetSensorMutationVariables>`
  mutation ResetSensor($selector: SensorSelector!, $reason: String) {
    answer: resetSensor(sensorSelector: $selector, reason: $reason) { __typename ... on Error { message } }
  }
`;

export type AutomationKind = "schedule" | "sensor";
export type Switching = "start" | "stop" | "reset";

export interface Instigator {
  kind: AutomationKind;
  location: string;
  name: string;
}

/**
 * Turns a schedule or sensor on or off, or leaves its switch to the code again.
 *
 * @throws Error that says why it is as it was.
 */
export async function switchInstigator(deed: Switching, { kind, location, name }: Instigator, reason = ""): Promise<void> {
  const place = { repositoryLocationName: location };
  const { answer } =
    kind === "schedule"
      ? await ask(SCHEDULE_SWITCHES[deed], { selector: { ...place, scheduleName: name }, reason })
      : await ask(SENSOR_SWITCHES[deed], { selector: { ...place, sensorName: name }, reason });
  if ("message" in answer) throw new Error(answer.message);
}

type Switch<Selector> = Document<{ answer: { __typename: string } | { message: string } }, { selector: Selector; reason?: string | null }>;
const SCHEDULE_SWITCHES: Record<Switching, Switch<ScheduleSelector>> = { start: START_SCHEDULE, stop: STOP_SCHEDULE, reset: RESET_SCHEDULE };
const SENSOR_SWITCHES: Record<Switching, Switch<SensorSelector>> = { start: START_SENSOR, stop: STOP_SENSOR, reset: RESET_SENSOR };

export const SET_CURSOR = gql<SetCursorMutation, SetCursorMutationVariables>`
  mutation SetCursor($selector: SensorSelector!, $cursor: String) {
    answer: setSensorCursor(sensorSelector: $selector, cursor: $cursor) { __typename ... on Error { message } }
  }
`;

export const DRY_RUN_SCHEDULE = gql<DryRunScheduleMutation, DryRunScheduleMutationVariables>`
  mutation DryRunSchedule($selector: ScheduleSelector!, $timestamp: Float) {
    answer: scheduleDryRun(selectorData: $selector, timestamp: $timestamp) { __typename ...DryRun ... on Error { message } }
  }
  ${DRY_RUN} ${PYTHON_ERROR}
`;

export const DRY_RUN_SENSOR = gql<DryRunSensorMutation, DryRunSensorMutationVariables>`
  mutation DryRunSensor($selector: SensorSelector!, $cursor: String) {
    answer: sensorDryRun(selectorData: $selector, cursor: $cursor) { __typename ...DryRun ... on Error { message } }
  }
  ${DRY_RUN} ${PYTHON_ERROR}
`;

/** What is known of schedules and sensors whose code is absent. */
export const WITHOUT_CODE = gql<WithoutCodeQuery, WithoutCodeQueryVariables>`
  query WithoutCode {
    instigationsWithoutCode {
      id
      name
      instigationType
      repositoryLocationName
      status
      removedTimestamp
      lastTickTime
      override { ...Override }
    }
  }
  ${OVERRIDE}
`;

export const OPERATOR_ACTS = gql<OperatorActsQuery, OperatorActsQueryVariables>`
  query OperatorActs($limit: Int!) {
    operatorActs(limit: $limit) { ...OperatorAct }
  }
  ${ACT} ${OVERRIDE}
`;

export const SET_OVERRIDE = gql<SetOverrideMutation, SetOverrideMutationVariables>`
  mutation SetOverride($id: ID!, $override: InstigationOverrideInput!) {
    answer: overrideInstigation(id: $id, override: $override) {
      __typename
      ... on RunConfigValidationInvalid { errors { message } }
      ... on Error { message }
    }
  }
`;

export const WITHDRAW_OVERRIDE = gql<WithdrawOverrideMutation, WithdrawOverrideMutationVariables>`
  mutation WithdrawOverride($id: ID!, $reason: String) {
    answer: withdrawInstigationOverride(id: $id, reason: $reason) { __typename ... on Error { message } }
  }
`;

export const REMOVE_INSTIGATION = gql<RemoveInstigationMutation, RemoveInstigationMutationVariables>`
  mutation RemoveInstigation($id: ID!, $reason: String) {
    answer: removeInstigation(id: $id, reason: $reason) { __typename ... on Error { message } }
  }
`;

export const RESTORE_INSTIGATION = gql<RestoreInstigationMutation, RestoreInstigationMutationVariables>`
  mutation RestoreInstigation($id: ID!, $reason: String) {
    answer: restoreInstigation(id: $id, reason: $reason) { __typename ... on Error { message } }
  }
`;

export type Webhook = NonNullable<Extract<SensorDetailQuery["sensorOrError"], { __typename: "Sensor" }>["webhook"]>;

const CREATE_TOKEN = gql<CreateTokenMutation, CreateTokenMutationVariables>`
  mutation CreateToken($selector: SensorSelector!) {
    createWebhookToken(sensorSelector: $selector) {
      __typename
      ... on WebhookTokenCreated { text token { id } }
      ... on Error { message }
    }
  }
`;

const REVOKE_TOKEN = gql<RevokeTokenMutation, RevokeTokenMutationVariables>`
  mutation RevokeToken($selector: SensorSelector!, $id: Int!) {
    revokeWebhookToken(sensorSelector: $selector, tokenId: $id) { __typename ... on Error { message } }
  }
`;

/**
 * Makes a token for senders.
 *
 * @returns its text, which is told this once.
 * @throws Error that says why there is none.
 */
export async function createToken(selector: SensorSelector): Promise<string> {
  const { createWebhookToken: answer } = await ask(CREATE_TOKEN, { selector });
  if (answer.__typename !== "WebhookTokenCreated") throw new Error(answer.message);
  return answer.text;
}

/** @throws Error that says why it is still let in. */
export async function revokeToken(selector: SensorSelector, id: number): Promise<void> {
  const { revokeWebhookToken: answer } = await ask(REVOKE_TOKEN, { selector, id });
  if (answer.__typename !== "WebhookTokenRevoked") throw new Error(answer.message);
}
