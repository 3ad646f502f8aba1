import { expect, test } from "vitest";

import { readPriority } from "./priority.model";

test("a priority is a whole number", () => {
  expect(readPriority(" 10 ")).toBe(10);
  expect(readPriority("-5")).toBe(-5);
  for (const wrong of ["", "high", "1.5"]) expect(readPriority(wrong)).toMatch(/whole number/);
  expect(readPriority("3000000000")).toMatch(/between/);
});
