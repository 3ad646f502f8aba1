/** What the overview shows: one question that changes with the runs, one with the assets, one with the ticks. */
import { PYTHON_ERROR } from "./errors";
import { gql } from "./gql";
import type {
  OverviewChecksQuery,
  OverviewChecksQueryVariables,
  OverviewFailingQuery,
  OverviewFailingQueryVariables,
  OverviewQuery,
  OverviewQueryVariables,
} from "./schema.gen";

export const OVERVIEW = gql<OverviewQuery, OverviewQueryVariables>`
  query Overview($since: Float!, $limit: Int!) {
    runsOrError(filter: { endedAfter: $since }, limit: $limit) {
      __typename
      ... on Runs {
        count
        results {
          runId
          status
          jobName
          repositoryLocationName
          partition
          assetSelection { path }
          creationTime
          startTime
          endTime
          note
          failure { stepKey message }
        }
      }
      ... on Error { message }
    }
    instance {
      queuedRuns
      activeRuns
      daemonHealth { allDaemonStatuses { daemonType required healthy holder lastHeartbeatErrors { message className } } }
    }
    workspaceOrError {
      __typename
      ... on Workspace {
        locationEntries { name loadStatus stale jobCount assetCount scheduleCount sensorCount loadError { ...PythonError } }
      }
      ... on Error { message }
    }
    repositoriesOrError {
      __typename
      ... on RepositoryConnection {
        nodes {
          location { name }
          schedules { name pipelineName scheduleState { status } futureTicks(limit: 20) { results { timestamp } } }
        }
      }
    }
  }
  ${PYTHON_ERROR}
`;

export type OverviewRun = Extract<OverviewQuery["runsOrError"], { __typename: "Runs" }>["results"][number];

/** The latest result of every check. */
export const OVERVIEW_CHECKS = gql<OverviewChecksQuery, OverviewChecksQueryVariables>`
  query OverviewChecks {
    assetNodes(failedChecks: true) {
      assetKey { path }
      assetChecks { name latestExecution { status timestamp evaluation { severity description } } }
    }
  }
`;

/** Schedules and sensors that failed when they were last evaluated, and messages of alerts that nobody has taken. */
export const OVERVIEW_FAILING = gql<OverviewFailingQuery, OverviewFailingQueryVariables>`
  query OverviewFailing {
    failingInstigations {
      instigationState { id name instigationType repositoryLocationName }
      tick { tickId timestamp error { ...PythonError } }
    }
    instance {
      alerts {
        waiting: deliveries(status: PENDING, limit: 20) { results { ...Untaken } }
        givenUp: deliveries(status: GIVEN_UP, limit: 5) { results { ...Untaken } }
      }
    }
  }
  fragment Untaken on AlertDelivery { rule target error createdTimestamp endedTimestamp }
  ${PYTHON_ERROR}
`;
