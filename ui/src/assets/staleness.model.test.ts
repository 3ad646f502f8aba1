import { expect, it } from "vitest";

import { staleText } from "./staleness.model";

it("says whether an asset is up to date, and why not", () => {
  expect(staleText("FRESH", [], ["a"])).toBe("yes");
  expect(staleText("MISSING", [], ["a"])).toBeNull();
  const causes = [
    { key: { path: ["a"] }, reason: "its code has the new version '2'" },
    { key: { path: ["raw", "b"] }, reason: "c has other content than it was made of" },
  ];
  expect(staleText("STALE", causes, ["a"])).toBe(
    "no; its code has the new version '2'; raw/b: c has other content than it was made of",
  );
});
