import { describe, expect, it } from "vitest";

import { apiFilter, filterParts, readFilter, readTyped } from "./runFilter.model";

describe("readFilter", () => {
  it("takes what makes sense and leaves the rest", () => {
    const filter = readFilter({ status: "FAILURE,NONSENSE,STARTED", job: "nightly", tag: "team:x,broken", within: "-4" });
    expect(filter).toEqual({ statuses: ["FAILURE", "STARTED"], job: "nightly", location: "", asset: "", tags: ["team:x"], within: 0 });
  });
});

describe("apiFilter", () => {
  it("names only what is filtered", () => {
    expect(apiFilter(readFilter({}), 100)).toEqual({});
    expect(apiFilter(readFilter({ status: "QUEUED", asset: "a/b", tag: "k:v:w", within: "60" }), 100)).toEqual({
      statuses: ["QUEUED"],
      assetKey: { path: ["a", "b"] },
      tags: [{ key: "k", value: "v:w" }],
      createdAfter: 40,
    });
  });
});

describe("filterParts", () => {
  it("each say how the address reads without them", () => {
    const parts = filterParts(readFilter({ job: "j", tag: "a:1,b:2" }));
    expect(parts.map((part) => [part.name, part.without])).toEqual([
      ["job", ""],
      ["tag", "b:2"],
      ["tag", "a:1"],
    ]);
  });
});

describe("readTyped", () => {
  const none = readFilter({});
  it.each([
    ["nightly", { change: { job: "nightly" } }],
    ["asset: raw/flights", { change: { asset: "raw/flights" } }],
    ["tag:team=data", { change: { tag: "team:data" } }],
    ["tag:team", null],
    ["  ", null],
    ["0197f0aa-1111-7222-8333-444455556666", { runId: "0197f0aa-1111-7222-8333-444455556666" }],
  ])("%j means %j", (text, expected) => {
    expect(readTyped(text, none)).toEqual(expected);
  });

  it("adds a tag to those there are", () => {
    expect(readTyped("tag:b=2", readFilter({ tag: "a:1" }))).toEqual({ change: { tag: "a:1,b:2" } });
  });
});
