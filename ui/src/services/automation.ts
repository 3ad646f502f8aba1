/** Schedules and sensors: their list, one's ticks, and their switches. */
import { PYTHON_ERROR } from "./errors";
import { gql } from "./gql";
import type {
  AutomationListQuery,
  AutomationListQueryVariables,
  AutomationTickFragment,
  DryRunScheduleMutation,
  DryRunScheduleMutationVariables,
  DryRunSensorMutation,
  DryRunSensorMutationVariables,
  ResetScheduleMutation,
  ResetScheduleMutationVariables,
  ResetSensorMutation,
  ResetSensorMutationVariables,
  ScheduleDetailQuery,
  ScheduleDetailQueryVariables,
  SensorDetailQuery,
  SensorDetailQueryVariables,
  SetCursorMutation,
  SetCursorMutationVariables,
  StartScheduleMutation,
  StartScheduleMutationVariables,
  StartSensorMutation,
  StartSensorMutationVariables,
  StopScheduleMutation,
  StopScheduleMutationVariables,
  StopSensorMutation,
  StopSensorMutationVariables,
} from "./schema.gen";

export type AutomationTick = AutomationTickFragment;

export const AUTOMATION_TOPICS = ["ticks", "instigators", "locations"] as const;
/** Operations whose answers a switch changes. */
export const AUTOMATION_OPERATIONS = ["AutomationList", "ScheduleDetail", "SensorDetail"] as const;

const TICK = gql`
  fragment AutomationTick on InstigationTick {
    tickId
    status
    timestamp
    startTimestamp
    endTimestamp
    runKeys
    skipReason
    cursor
    logs
    runs { runId status }
    error { ...PythonError }
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
            targets { pipelineName }
            sensorState { ...SwitchState ticks(limit: 8) { tickId status timestamp } }
          }
        }
      }
      ... on Error { message }
    }
  }
  ${STATE}
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
        futureTicks(limit: 5) { results { timestamp } }
        scheduleState { ...SwitchState ticks(limit: $limit, statuses: $statuses) { ...AutomationTick } }
      }
      ... on Error { message }
    }
  }
  ${STATE} ${TICK} ${PYTHON_ERROR}
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
        sensorState { ...SwitchState ticks(limit: $limit, statuses: $statuses) { ...AutomationTick } }
      }
      ... on Error { message }
    }
  }
  ${STATE} ${TICK} ${PYTHON_ERROR}
`;

export const START_SCHEDULE = gql<StartScheduleMutation, StartScheduleMutationVariables>`
  mutation StartSchedule($selector: ScheduleSelector!) {
    answer: startSchedule(scheduleSelector: $selector) { __typename ... on Error { message } }
  }
`;

export const STOP_SCHEDULE = gql<StopScheduleMutation, StopScheduleMutationVariables>`
  mutation StopSchedule($selector: ScheduleSelector!) {
    answer: stopRunningSchedule(scheduleSelector: $selector) { __typename ... on Error { message } }
  }
`;

export const RESET_SCHEDULE = gql<ResetScheduleMutation, ResetScheduleMutationVariables>`
  mutation ResetSchedule($selector: ScheduleSelector!) {
    answer: resetSchedule(scheduleSelector: $selector) { __typename ... on Error { message } }
  }
`;

export const START_SENSOR = gql<StartSensorMutation, StartSensorMutationVariables>`
  mutation StartSensor($selector: SensorSelector!) {
    answer: startSensor(sensorSelector: $selector) { __typename ... on Error { message } }
  }
`;

export const STOP_SENSOR = gql<StopSensorMutation, StopSensorMutationVariables>`
  mutation StopSensor($selector: SensorSelector!) {
    answer: stopSensor(sensorSelector: $selector) { __typename ... on Error { message } }
  }
`;

export const RESET_SENSOR = gql<ResetSensorMutation, ResetSensorMutationVariables>`
  mutation ResetSensor($selector: SensorSelector!) {
    answer: resetSensor(sensorSelector: $selector) { __typename ... on Error { message } }
  }
`;

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
