/** The parts of this deployment: code locations, the daemon's duties, processes, settings. */
import { PYTHON_ERROR } from "./errors";
import { ask, gql } from "./gql";
import type {
  DeploymentQuery,
  DeploymentQueryVariables,
  ReloadAllLocationsMutation,
  ReloadAllLocationsMutationVariables,
  ReloadLocationMutation,
  ReloadLocationMutationVariables,
} from "./schema.gen";

export const DEPLOYMENT = gql<DeploymentQuery, DeploymentQueryVariables>`
  query Deployment {
    version
    workspaceOrError {
      __typename
      ... on Workspace {
        locationEntries {
          name
          loadStatus
          stale
          origin
          updatedTimestamp
          versionKey
          jobCount
          assetCount
          scheduleCount
          sensorCount
          loadError { ...PythonError }
        }
      }
      ... on Error { message }
    }
    instance {
      info
      storage { key value }
      queuedRuns
      activeRuns
      runQueueConfig { maxConcurrentRuns tagConcurrencyLimitsYaml jobLimitsYaml locationLimitsYaml fairShare }
      daemonHealth {
        allDaemonStatuses {
          daemonType
          required
          healthy
          lastHeartbeatTime
          holder
          lastHeartbeatErrors { ...PythonError }
        }
      }
      processes { id kind host pid version started seen duties error }
    }
  }
  ${PYTHON_ERROR}
`;

export type Location = Extract<DeploymentQuery["workspaceOrError"], { __typename: "Workspace" }>["locationEntries"][number];
export type Duty = DeploymentQuery["instance"]["daemonHealth"]["allDaemonStatuses"][number];
export type Process = DeploymentQuery["instance"]["processes"][number];

const RELOAD = gql<ReloadLocationMutation, ReloadLocationMutationVariables>`
  mutation ReloadLocation($name: String!) {
    reloadRepositoryLocation(repositoryLocationName: $name) {
      __typename
      ... on WorkspaceLocationEntry { name loadError { message className } }
      ... on Error { message }
    }
  }
`;

const RELOAD_ALL = gql<ReloadAllLocationsMutation, ReloadAllLocationsMutationVariables>`
  mutation ReloadAllLocations {
    reloadWorkspace {
      __typename
      ... on Workspace { locationEntries { name loadError { message } } }
      ... on Error { message }
    }
  }
`;

/**
 * Loads a location's code anew.
 *
 * @returns whether it loaded; the location's own entry says why not.
 * @throws Error when it could not even be tried.
 */
export async function reloadLocation(name: string): Promise<boolean> {
  const { reloadRepositoryLocation: answer } = await ask(RELOAD, { name });
  if (answer.__typename !== "WorkspaceLocationEntry") throw new Error(answer.message);
  return answer.loadError === null;
}

/**
 * Loads all code anew.
 *
 * @returns the names of the locations that did not load.
 * @throws Error when it could not even be tried.
 */
export async function reloadAll(): Promise<string[]> {
  const { reloadWorkspace: answer } = await ask(RELOAD_ALL, {});
  if (answer.__typename !== "Workspace") throw new Error(answer.message);
  return answer.locationEntries.filter((entry) => entry.loadError !== null).map((entry) => entry.name);
}
