import { expect, it } from "vitest";

import { conditionText } from "./automation.model";

it("calls a condition by its name, or by its first parts", () => {
  expect(conditionText({ label: "eager", expandedLabel: ["eager", "AND"] })).toBe("eager");
  expect(conditionText({ label: null, expandedLabel: ["OR", "missing"] })).toBe("OR missing");
  expect(conditionText({ label: null, expandedLabel: ["AND", "a", "b", "c", "d"] })).toBe("AND a b c …");
});
