import { describe, expect, it } from "vitest";

import { breakable } from "./breakable.model";

describe("breakable", () => {
  it.each([
    ["delays_and_weather", ["delays_", "and_", "weather"]],
    ["/data/raw.csv:12", ["/", "data/", "raw.", "csv:", "12"]],
    ["a__b", ["a__", "b"]],
    ["plain", ["plain"]],
    ["", [""]],
  ])("splits %j behind its joints, and loses nothing", (text, pieces) => {
    expect(breakable(text)).toEqual(pieces);
    expect(breakable(text).join("")).toBe(text);
  });
});
