/** What is said of alerts: kinds in words, where a message stands, and what a rule asks for. Pure. */
import type { AlertDelivery, AlertRule } from "../../services/alerts";
import type { AlertDeliveryStatus } from "../../services/schema.gen";
import { durationText } from "../../services/time.model";

const KINDS: Record<string, string> = {
  run_failure: "A run failed",
  run_late: "A run waits too long",
  run_stuck: "A run does not end",
  tick_failure: "A schedule, sensor or one-off run failed",
  check_failed: "A check did not pass",
  freshness_violated: "An asset is too old",
  daemon_lost: "A daemon is lost",
  location_broken: "Code does not load",
};

export function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** The status as pages show it: a message that failed and is tried again is more than one that waits for its turn. */
export function standing(delivery: Pick<AlertDelivery, "status" | "attempts" | "error">): string {
  if (delivery.status !== "PENDING") return delivery.status;
  return delivery.error === null ? (delivery.attempts === 0 ? "TO_SEND" : "SENDING") : "FAILING";
}

/** "job nightly*, tag team data"; null when the rule takes everything of its kinds. */
export function whereText(rule: Pick<AlertRule, "where">): string | null {
  return rule.where.length === 0 ? null : rule.where.map(({ key, value }) => `${key} ${value}`).join(", ");
}

/** "slack", "email to a@example.com, b@example.com". */
export function targetText(target: AlertRule["targets"][number]): string {
  return target.recipients.length === 0 ? target.name : `${target.name} to ${target.recipients.join(", ")}`;
}

/** For how long others about the same subject are held back. */
export function throttleText(seconds: number): string {
  return seconds === 0 ? "None is held back" : durationText(seconds);
}

export const STATUSES: readonly { value: AlertDeliveryStatus; label: string }[] = [
  { value: "PENDING", label: "To be sent" },
  { value: "DELIVERED", label: "Sent" },
  { value: "THROTTLED", label: "Held back" },
  { value: "GIVEN_UP", label: "Given up" },
];

/** The status that the address asks for; none for all. */
export function readStatus(text: string | undefined): AlertDeliveryStatus | null {
  return STATUSES.find(({ value }) => value === text)?.value ?? null;
}
