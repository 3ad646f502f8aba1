import { describe, expect, it } from "vitest";

import { constraintWords, placeOfCode, prettyJson, tableRows } from "./values.model";

describe("prettyJson", () => {
  it("keeps short values on one line and opens long ones", () => {
    expect(prettyJson('{"a": 1}')).toBe('{"a":1}');
    expect(prettyJson(JSON.stringify({ words: "x".repeat(80) }))).toContain("\n");
    expect(prettyJson("{no json")).toBe("{no json");
  });
});

describe("tableRows", () => {
  it("reads objects and arrays, numbers and gaps", () => {
    expect(tableRows(["a", "b"], ['{"a": 12345, "c": 1}', '["x", {"y": 1}]', "broken"])).toEqual([
      [
        { text: "12,345", isNumber: true },
        { text: "", isNumber: false },
      ],
      [
        { text: "x", isNumber: false },
        { text: '{"y":1}', isNumber: false },
      ],
      [{ text: "broken", isNumber: false }],
    ]);
  });
});

describe("constraintWords", () => {
  it("names what is not allowed", () => {
    expect(constraintWords({ nullable: true, unique: false, other: [] })).toBe("");
    expect(constraintWords({ nullable: false, unique: true, other: ["n > 0"] })).toBe("not null, unique, n > 0");
  });
});

describe("placeOfCode", () => {
  it("adds the line where there is one", () => {
    expect(placeOfCode("/a/load.py", 12)).toBe("/a/load.py:12");
    expect(placeOfCode("/a/load.py", null)).toBe("/a/load.py");
  });
});
