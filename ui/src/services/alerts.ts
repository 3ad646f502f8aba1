/** Alerts: who is told of what, and what became of the messages. */
import { gql } from "./gql";
import type { AlertsQuery, AlertsQueryVariables } from "./schema.gen";

export const ALERTS = gql<AlertsQuery, AlertsQueryVariables>`
  query Alerts($status: AlertDeliveryStatus, $limit: Int!, $cursor: String) {
    instance {
      alerts {
        webUrl
        lateAfterSeconds
        stuckAfterSeconds
        rules { name when where { key value } targets { name kind recipients } throttleSeconds }
        deliveries(status: $status, limit: $limit, cursor: $cursor) {
          cursor
          results { id rule target kind title text path status attempts createdTimestamp dueTimestamp endedTimestamp error }
        }
      }
    }
  }
`;

export type AlertSettings = AlertsQuery["instance"]["alerts"];
export type AlertRule = AlertSettings["rules"][number];
export type AlertDelivery = NonNullable<AlertSettings["deliveries"]>["results"][number];
