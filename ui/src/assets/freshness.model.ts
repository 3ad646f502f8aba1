/** Whether an asset is as fresh as its policy asks for, in words. Pure. */
import { intervalText } from "../automation/ticks.model";

type Policy =
  | { __typename: "TimeWindowFreshnessPolicy"; failWindowSeconds: number }
  | { __typename: "CronFreshnessPolicy"; deadlineCron: string; timezone: string };

const WORDS = { PASS: "yes", WARN: "not for much longer", FAIL: "no", UNKNOWN: "never made" } as const;

/** The state, and what the policy asks for. */
export function freshText(status: keyof typeof WORDS, policy: Policy): string {
  const asked =
    policy.__typename === "TimeWindowFreshnessPolicy"
      ? `to be made ${intervalText(policy.failWindowSeconds)}`
      : `to be made by ${policy.deadlineCron} (${policy.timezone})`;
  return `${WORDS[status]}; ${asked}`;
}
