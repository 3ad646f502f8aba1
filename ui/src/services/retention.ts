/** How long things are kept, and what there is of them. */
import { gql } from "./gql";
import type { RetentionQuery, RetentionQueryVariables } from "./schema.gen";

export const RETENTION = gql<RetentionQuery, RetentionQueryVariables>`
  query Retention {
    instance {
      retention {
        lookedTimestamp
        doneTimestamp
        kinds { kind rule rows oldestTimestamp bytes tooOld nextTimestamp removed }
      }
    }
  }
`;

export type Retention = NonNullable<RetentionQuery["instance"]["retention"]>;
export type KeptKind = Retention["kinds"][number];
