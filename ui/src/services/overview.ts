/** What the overview shows, in one question. */
import { PYTHON_ERROR } from "./errors";
import { gql } from "./gql";
import type { OverviewQuery, OverviewQueryVariables } from "./schema.gen";

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
      daemonHealth { allDaemonStatuses { daemonType required healthy lastHeartbeatErrors { message className } } }
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
