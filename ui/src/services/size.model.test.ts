import { describe, expect, it } from "vitest";

import { bytesText } from "./size.model";

describe("bytesText", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.6, "1.0 kB"],
    [5_434_944, "5.4 MB"],
    [123_456_789, "123 MB"],
    [2e15, "2000 TB"],
  ])("says %d as %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));
});
