import { describe, expect, it } from "vitest";

import type { Part } from "./evaluation.model";
import { reasonOf } from "./reason.model";

/** A part of what has no partitions: asked unless `true` is null. */
const part = (uniqueId: string, operatorType: string, isTrue: boolean | null, entity = "margins", label = operatorType): Part => ({
  uniqueId,
  operatorType,
  expandedLabel: [label],
  meaning: "",
  entity,
  isPartitioned: false,
  numTrue: isTrue === true ? 1 : 0,
  numCandidates: isTrue === null ? 0 : 1,
  truePartitions: [],
});

/** `eager()` of margins, which is made of customers and prices. */
const eager = (missing: boolean, customers: boolean, handled: boolean, allowed: boolean | null): Part[] => {
  const triggered = missing || customers;
  const isTrue = triggered && allowed === true;
  return [
    part("0", "and", isTrue, "margins", "eager"),
    part("0.0", "in_latest_time_window", true),
    part("0.1", "since", triggered),
    part("0.1.0", "or", triggered),
    part("0.1.0.0", "newly_true", missing, "margins", "newly_missing"),
    part("0.1.0.0.0", "missing", missing),
    part("0.1.0.1", "any_deps", customers, "margins", "any_deps_updated"),
    part("0.1.0.1.0", "or", customers, "customers"),
    part("0.1.0.1.0.0", "and", customers, "customers", "newly_updated_without_root"),
    part("0.1.0.1.0.0.0", "newly_updated", customers, "customers"),
    part("0.1.0.1.0.0.1", "not", customers ? true : null, "customers"),
    part("0.1.0.1.0.1", "will_be_requested", false, "customers"),
    part("0.1.0.1.1", "or", false, "prices"),
    part("0.1.0.1.1.0", "newly_updated", false, "prices"),
    part("0.1.1", "or", handled, "margins", "handled"),
    part("0.2", "not", allowed),
    ...(allowed === false
      ? [part("0.2.0", "any_deps", true, "margins", "any_deps_missing"), part("0.2.0.0", "missing", true, "prices"), part("0.2.0.1", "missing", false, "customers")]
      : []),
  ];
};

describe("what would make it run", () => {
  it("is any of what the first false part waits for", () => {
    expect(reasonOf(eager(false, false, true, null))).toBe(
      "It is requested as soon as it is missing, customers is updated or prices is updated, if the parts that were not asked allow it.",
    );
  });

  it("is what stands in the way when it has been triggered", () => {
    expect(reasonOf(eager(false, true, false, false))).toBe("It is requested as soon as nothing of prices is missing.");
  });

  it("is the next time of a schedule, and then all that it depends on", () => {
    const cron = "cron_tick_passed(*/2 * * * *, UTC)";
    const waits = [part("0", "and", false), part("0.0", "since", false), part("0.0.0", "cron_tick_passed", false, "margins", cron), part("0.0.1", "or", true)];
    expect(reasonOf(waits)).toBe("It is requested as soon as the next time of */2 * * * *, UTC comes.");
    const deps = [
      part("0", "and", false),
      part("0.0", "since", true),
      part("0.1", "all_deps", false),
      part("0.1.0", "newly_updated", false, "a"),
      part("0.1.1", "newly_updated", true, "b"),
      part("0.1.2", "newly_updated", false, "c"),
    ];
    expect(reasonOf(deps)).toBe("It is requested as soon as a is updated and c is updated.");
  });

  it("calls what it has no words for by its name", () => {
    expect(reasonOf([part("0", "custom", false, "margins", "OnWeekdays")])).toBe("It is requested as soon as OnWeekdays of it is true.");
    const not = [part("0", "not", false), part("0.0", "custom", true, "orders", "IsHoliday")];
    expect(reasonOf(not)).toBe("It is requested as soon as IsHoliday of orders is no longer true.");
    expect(reasonOf([])).toBeNull();
  });

  it("tells that more partitions would have to be missing", () => {
    const some = [part("0", "newly_true", false, "margins", "newly_missing"), { ...part("0.0", "missing", true), isPartitioned: true }];
    expect(reasonOf(some)).toBe("It is requested as soon as one more partition of it is missing.");
  });
});

describe("why it ran", () => {
  it("is what was true of that which asks, not of that which allows", () => {
    expect(reasonOf(eager(false, true, false, true))).toBe("It was requested because customers was updated.");
    expect(reasonOf(eager(true, true, false, true))).toBe("It was requested because it is missing and customers was updated.");
  });

  it("may have been true before", () => {
    const since = [part("0", "since", true, "margins", "SINCE"), part("0.0", "missing", false), part("0.1", "or", false)];
    expect(reasonOf(since)).toBe("It was requested because SINCE of it is true since an earlier evaluation.");
  });
});
