import { expect, test } from "vitest";

import { kindName, readStatus, standing, targetText, throttleText, whereText } from "./alerts.model";

test("a kind that is not known shows by its name", () => {
  expect(kindName("run_late")).toBe("A run waits too long");
  expect(kindName("moon_full")).toBe("moon_full");
});

test("a message to be sent says how far it has come", () => {
  expect(standing({ status: "PENDING", attempts: 0, error: null })).toBe("TO_SEND");
  expect(standing({ status: "PENDING", attempts: 1, error: null })).toBe("SENDING");
  expect(standing({ status: "PENDING", attempts: 2, error: "HTTP 500" })).toBe("FAILING");
  expect(standing({ status: "GIVEN_UP", attempts: 13, error: "HTTP 404" })).toBe("GIVEN_UP");
});

test("a rule in words", () => {
  const where = [
    { key: "job", value: "nightly*" },
    { key: "tag team", value: "data" },
  ];
  expect(whereText({ where })).toBe("job nightly*, tag team data");
  expect(whereText({ where: [] })).toBeNull();
  expect(targetText({ name: "slack", kind: "slack", recipients: [] })).toBe("slack");
  expect(targetText({ name: "email 2", kind: "email", recipients: ["a@b.c", "d@e.f"] })).toBe("email 2 to a@b.c, d@e.f");
  expect(throttleText(0)).toBe("None is held back");
  expect(throttleText(300)).toBe("5:00 min");
});

test("a status that makes no sense asks for all", () => {
  expect(readStatus("GIVEN_UP")).toBe("GIVEN_UP");
  expect(readStatus("LOST")).toBeNull();
  expect(readStatus(undefined)).toBeNull();
});
