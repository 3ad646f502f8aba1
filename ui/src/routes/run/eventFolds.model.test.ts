import { describe, expect, it } from "vitest";

import { type FoldingEvent, foldEvents, type FoldRow } from "./eventFolds.model";

const NONE: ReadonlySet<string> = new Set();

let counted = 0;
function event(eventType: string | null, name?: string, partition: string | null = null): FoldingEvent {
  counted += 1;
  return {
    eventId: String(counted),
    eventType,
    stepKey: null,
    ...(name === undefined ? {} : { assetKey: { path: name.split("/") }, partition }),
  };
}
const planned = (name: string, partition: string | null = null) => event("ASSET_MATERIALIZATION_PLANNED", name, partition);
const made = (name: string, partition: string | null = null) => event("ASSET_MATERIALIZATION", name, partition);
const days = (each: (name: string, partition: string) => FoldingEvent, name: string, count: number) =>
  Array.from({ length: count }, (_, day) => each(name, `2013-01-0${day + 1}`));
const wordsOf = (events: readonly FoldingEvent[]) =>
  foldEvents(events, NONE, null).map((row) => (row.kind === "fold" ? row.words : row.index));

describe("foldEvents", () => {
  it("folds one asset's partitions, planned or made", () => {
    expect(wordsOf([...days(planned, "a/b", 5), event("RUN_START"), ...days(made, "a/b", 4)])).toEqual([
      "Will make 5 partitions of a/b, 2013-01-01 to 2013-01-05.",
      5,
      "Made 4 partitions of a/b, 2013-01-01 to 2013-01-04.",
    ]);
  });

  it("leaves a few of the same as they are", () => {
    expect(wordsOf(days(made, "a", 3))).toEqual([0, 1, 2]);
    expect(wordsOf([planned("a"), planned("b"), planned("c")])).toEqual([0, 1, 2]);
  });

  it("does not fold over another asset, another step or another type", () => {
    const [one, two] = [days(made, "a", 2), days(made, "b", 3)];
    expect(wordsOf([...one, ...two])).toEqual([0, 1, 2, 3, 4]);
    expect(wordsOf([...days(made, "a", 2), ...days(planned, "a", 2)])).toEqual([0, 1, 2, 3]);
    const elsewhere = days(made, "a", 3).map((each) => ({ ...each, stepKey: "other" }));
    expect(wordsOf([...days(made, "a", 3), ...elsewhere])).toHaveLength(6);
  });

  it("folds plans of many assets, apart from the long plan of one", () => {
    expect(wordsOf([...["a", "b", "c", "d", "e"].map((name) => planned(name)), ...days(planned, "f", 4)])).toEqual([
      "Will make 5 assets: a, b, c and 2 more.",
      "Will make 4 partitions of f, 2013-01-01 to 2013-01-04.",
    ]);
  });

  it("keeps materializations without partition apart: each holds something else", () => {
    expect(wordsOf(["a", "b", "c", "d"].map((name) => made(name)))).toEqual([0, 1, 2, 3]);
  });

  it("shows the events of a fold that is open, or that holds the event asked for", () => {
    const events = days(made, "a", 4);
    const [fold] = foldEvents(events, NONE, null) as [FoldRow];
    expect(fold).toMatchObject({ from: 0, to: 4, isOpen: false });
    const rows = [
      { kind: "fold", isOpen: true },
      ...[0, 1, 2, 3].map((index) => ({ kind: "event", index, within: true })),
    ];
    expect(foldEvents(events, new Set([fold.key]), null)).toMatchObject(rows);
    expect(foldEvents(events, NONE, events[2]!.eventId)).toMatchObject(rows);
  });

  it("keeps a fold's key while it grows", () => {
    const events = days(made, "a", 6);
    const keys = [4, 6].map((count) => (foldEvents(events.slice(0, count), NONE, null)[0] as FoldRow).key);
    expect(keys[0]).toBe(keys[1]);
  });
});
