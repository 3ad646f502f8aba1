/** How each status looks: a tone (colour), a shape and a word, so that no status is told by colour alone. Pure. */

export type Tone = "good" | "bad" | "busy" | "wait" | "idle";
export type Shape = "check" | "cross" | "ring" | "clock" | "dash" | "dot" | "hollow" | "skip";

export interface StatusLook {
  tone: Tone;
  shape: Shape;
  label: string;
}

const look = (tone: Tone, shape: Shape, label: string): StatusLook => ({ tone, shape, label });

const LOOKS: Record<string, StatusLook> = {
  // runs
  QUEUED: look("wait", "clock", "Queued"),
  NOT_STARTED: look("wait", "clock", "Not started"),
  MANAGED: look("wait", "clock", "Managed"),
  SUSPENDED: look("wait", "clock", "Suspended"),
  STARTING: look("busy", "ring", "Starting"),
  STARTED: look("busy", "ring", "Running"),
  CANCELING: look("idle", "ring", "Canceling"),
  CANCELED: look("idle", "dash", "Canceled"),
  SUCCESS: look("good", "check", "Success"),
  FAILURE: look("bad", "cross", "Failed"),
  // steps
  IN_PROGRESS: look("busy", "ring", "Running"),
  SKIPPED: look("idle", "skip", "Skipped"),
  WAITING: look("idle", "hollow", "Waiting"),
  RETRYING: look("wait", "ring", "Retrying"),
  // assets and partitions
  NEVER_MATERIALIZED: look("idle", "hollow", "Never materialized"),
  MATERIALIZED: look("good", "check", "Materialized"),
  MATERIALIZING: look("busy", "ring", "Materializing"),
  FAILED: look("bad", "cross", "Failed"),
  EXTERNAL: look("idle", "dot", "External"),
  MISSING: look("idle", "hollow", "Missing"),
  // checks
  SUCCEEDED: look("good", "check", "Passed"),
  EXECUTION_FAILED: look("bad", "cross", "Did not run"),
  WARNED: look("wait", "cross", "Warned"),
  NOT_EVALUATED: look("idle", "hollow", "Not evaluated"),
  // freshness
  FRESHNESS_PASS: look("good", "check", "Fresh"),
  FRESHNESS_WARN: look("wait", "clock", "Soon too old"),
  FRESHNESS_FAIL: look("bad", "cross", "Too old"),
  FRESHNESS_UNKNOWN: look("idle", "hollow", "Freshness not known"),
  // parts of automation conditions
  TRUE: look("good", "check", "True"),
  FALSE: look("idle", "hollow", "False"),
  NOT_ASKED: look("idle", "dash", "Not asked"),
  // schedules and sensors
  RUNNING: look("good", "dot", "On"),
  STOPPED: look("idle", "hollow", "Off"),
  // locations and processes
  LOADED: look("good", "check", "Loaded"),
  LOADING: look("busy", "ring", "Loading"),
  ERROR: look("bad", "cross", "Error"),
  STALE: look("wait", "clock", "Stale"),
  HEALTHY: look("good", "dot", "Healthy"),
  UNHEALTHY: look("bad", "cross", "Not healthy"),
  // requests to webhooks
  REQUEST_PENDING: look("wait", "clock", "Waits for a tick"),
  REQUEST_TAKEN: look("good", "check", "Taken"),
  REQUEST_GIVEN_UP: look("bad", "cross", "Given up"),
  // runs that are planned
  ONE_OFF_WAITING: look("wait", "clock", "Waiting"),
  ONE_OFF_LAUNCHED: look("good", "check", "Launched"),
  ONE_OFF_CANCELED: look("idle", "dash", "Called off"),
  ONE_OFF_MISSED: look("bad", "cross", "Missed"),
  ONE_OFF_FAILED: look("bad", "cross", "Not made"),
  // backfills
  BACKFILL_REQUESTED: look("busy", "ring", "In progress"),
  BACKFILL_PAUSED: look("wait", "clock", "Paused"),
  BACKFILL_CANCELING: look("idle", "ring", "Canceling"),
  BACKFILL_CANCELED: look("idle", "dash", "Canceled"),
  BACKFILL_FAILING: look("bad", "ring", "Failing"),
  BACKFILL_FAILED: look("bad", "cross", "Stopped by an error"),
  BACKFILL_COMPLETED_SUCCESS: look("good", "check", "Completed"),
  BACKFILL_COMPLETED_FAILED: look("bad", "cross", "Completed, some failed"),
  // messages of alerts
  TO_SEND: look("wait", "clock", "To be sent"),
  SENDING: look("busy", "ring", "Being sent"),
  FAILING: look("wait", "cross", "Tried again"),
  DELIVERED: look("good", "check", "Sent"),
  THROTTLED: look("idle", "skip", "Held back"),
  GIVEN_UP: look("bad", "cross", "Given up"),
};

/** The look of a status word of the API, or of one of ours (WAITING, RETRYING, MISSING, HEALTHY and the like). */
export function statusLook(status: string): StatusLook {
  return LOOKS[status] ?? look("idle", "dot", status);
}
