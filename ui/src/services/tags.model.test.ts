import { describe, expect, it } from "vitest";

import { parseTags } from "./tags.model";

describe("parseTags", () => {
  it("reads pairs and names what is none", () => {
    expect(parseTags(" team=data,  note = a=b ,odd,=x ")).toEqual({
      tags: [
        { key: "team", value: "data" },
        { key: "note", value: "a=b" },
      ],
      wrong: ["odd", "=x"],
    });
    expect(parseTags("")).toEqual({ tags: [], wrong: [] });
  });
});
