/** Concurrency pools: their limits, who holds slots, who waits. */
import { ask, gql } from "./gql";
import type {
  DeletePoolLimitMutation,
  DeletePoolLimitMutationVariables,
  PoolsQuery,
  PoolsQueryVariables,
  SetPoolLimitMutation,
  SetPoolLimitMutationVariables,
} from "./schema.gen";

export const POOLS = gql<PoolsQuery, PoolsQueryVariables>`
  query Pools {
    instance {
      maxConcurrencyLimitValue
      poolConfig { poolGranularity defaultPoolLimit opGranularityRunBuffer }
      concurrencyLimits {
        concurrencyKey
        limit
        usingDefaultLimit
        activeSlotCount
        claimedSlots { runId stepKey takenTimestamp }
        pendingStepCount
        pendingSteps { runId stepKey enqueuedTimestamp priority reason }
      }
    }
  }
`;

export type Pool = PoolsQuery["instance"]["concurrencyLimits"][number];

const SET = gql<SetPoolLimitMutation, SetPoolLimitMutationVariables>`
  mutation SetPoolLimit($pool: String!, $limit: Int!) {
    setConcurrencyLimit(concurrencyKey: $pool, limit: $limit)
  }
`;

const DELETE = gql<DeletePoolLimitMutation, DeletePoolLimitMutationVariables>`
  mutation DeletePoolLimit($pool: String!) {
    deleteConcurrencyLimit(concurrencyKey: $pool)
  }
`;

/** Sets how many slots a pool has; null lets the default limit hold. Throws ServerError when it is refused. */
export async function setPoolLimit(pool: string, limit: number | null): Promise<void> {
  if (limit === null) await ask(DELETE, { pool });
  else await ask(SET, { pool, limit });
}
