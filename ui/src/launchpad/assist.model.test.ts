import { describe, expect, it } from "vitest";
import { markMistakes, offersAt, schemaRows, wordsAt } from "./assist.model";
import { describeType, fieldAt, typeAt, type ConfigType } from "./configTree.model";
import { nearestEntry, outline, spotAt } from "./outline.model";

const SCHEMA: ConfigType = {
  type: "shape",
  fields: {
    ops: {
      type: {
        type: "shape",
        fields: {
          load: {
            type: {
              type: "shape",
              fields: {
                config: {
                  type: {
                    type: "shape",
                    fields: {
                      table: { type: { type: "scalar", kind: "str" }, description: "Where to write." },
                      limit: { type: { type: "scalar", kind: "int" }, required: false, default: 10 },
                      mode: {
                        type: { type: "enum", values: ["append", "replace"] },
                        required: false,
                        default: "append",
                      },
                      dry: { type: { type: "noneable", inner: { type: "scalar", kind: "bool" } }, required: false },
                      parts: {
                        type: { type: "array", item: { type: "shape", fields: { day: { type: { type: "scalar" } } } } },
                        required: false,
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
    resources: { type: { type: "map", value: { type: "scalar", kind: "any" } }, required: false },
  },
};

const TEXT = `ops:
  load:
    config:
      table: "a: b"
      parts:
      - day: 1
      -
        day: 2
      note: |
        ops: no key
      # limit: 3
resources: {db: 1}`;

describe("outline", () => {
  it("finds keys and items by indentation, not in text and comments", () => {
    expect(outline(TEXT).map((entry) => `${entry.line} ${entry.path.join(".")}`)).toEqual([
      "0 ops",
      "1 ops.load",
      "2 ops.load.config",
      "3 ops.load.config.table",
      "4 ops.load.config.parts",
      "5 ops.load.config.parts.0",
      "5 ops.load.config.parts.0.day",
      "6 ops.load.config.parts.1",
      "7 ops.load.config.parts.1.day",
      "8 ops.load.config.note",
      "11 resources",
    ]);
  });

  it("reads quoted keys and nested dashes", () => {
    expect(outline(`"a.b": 1\n'it''s':\n- - x: 1`).map((entry) => entry.path)).toEqual([
      ["a.b"],
      ["it's"],
      ["it's", 0],
      ["it's", 0, 0],
      ["it's", 0, 0, "x"],
    ]);
  });

  it("finds the nearest entry of a path", () => {
    expect(nearestEntry(outline(TEXT), ["ops", "load", "config", "parts", "1", "hour"])?.line).toBe(6);
    expect(nearestEntry(outline(TEXT), ["loggers"])).toBeUndefined();
  });
});

describe("spotAt", () => {
  it("knows the mapping of a new key", () => {
    expect(spotAt("ops:\n  load:\n    ", 2, 4)).toEqual({ path: ["ops", "load"], kind: "key", typed: "", column: 4 });
    expect(spotAt("ops:\n  load:\n  ex", 2, 4)).toEqual({ path: ["ops"], kind: "key", typed: "ex", column: 2 });
    expect(spotAt("", 0, 0)).toEqual({ path: [], kind: "key", typed: "", column: 0 });
  });

  it("knows the key of a value, and list items", () => {
    expect(spotAt("ops:\n  mode: app", 1, 11)).toEqual({
      path: ["ops", "mode"],
      kind: "value",
      typed: "app",
      column: 8,
    });
    expect(spotAt("a:\n  - d", 1, 5)).toEqual({ path: ["a", 0], kind: "key", typed: "d", column: 4 });
  });

  it("is silent in comments and block text", () => {
    expect(spotAt("# ops", 0, 5)).toBeUndefined();
    expect(spotAt("a: |\n  te", 1, 4)).toBeUndefined();
  });
});

describe("the schema", () => {
  it("answers for paths", () => {
    expect(typeAt(SCHEMA, ["ops", "load", "config", "parts", 3, "day"])).toEqual({ type: "scalar" });
    expect(typeAt(SCHEMA, ["resources", "any", "deep"])).toBeUndefined();
    expect(fieldAt(SCHEMA, ["ops", "load", "config", "limit"])?.default).toBe(10);
    expect(describeType(typeAt(SCHEMA, ["ops", "load", "config", "parts"])!)).toBe("list of mapping");
  });
});

describe("offersAt", () => {
  const base = "ops:\n  load:\n    config:\n";

  it("offers missing keys, required ones first", () => {
    const found = offersAt(SCHEMA, `${base}      limit: 1\n      `, 4, 6);
    expect(found?.offers.map((offer) => offer.label)).toEqual(["table", "mode", "dry", "parts"]);
    expect(found?.offers[0]).toMatchObject({ insert: "table: ", detail: "str, required", info: "Where to write." });
    expect(found?.offers[3]?.insert).toBe("parts:\n        ");
  });

  it("still offers the key that is being typed", () => {
    expect(offersAt(SCHEMA, `${base}      table`, 3, 11)?.offers[0]?.label).toBe("table");
  });

  it("offers values of closed types", () => {
    expect(offersAt(SCHEMA, `${base}      mode: `, 3, 12)?.offers.map((offer) => offer.label)).toEqual([
      "append",
      "replace",
    ]);
    expect(offersAt(SCHEMA, `${base}      dry: `, 3, 11)?.offers.map((offer) => offer.label)).toEqual([
      "true",
      "false",
      "null",
    ]);
    expect(offersAt(SCHEMA, `${base}      table: `, 3, 13)).toBeUndefined();
  });
});

describe("wordsAt", () => {
  it("tells type, default and description of the key under the pointer", () => {
    expect(wordsAt(SCHEMA, TEXT, 3, 8)).toEqual({
      name: "table",
      type: "str",
      required: true,
      description: "Where to write.",
    });
    expect(wordsAt(SCHEMA, TEXT, 3, 15)).toBeUndefined();
  });
});

describe("markMistakes", () => {
  it("marks the key, else the nearest above, else the line named, else the first", () => {
    const marked = markMistakes(TEXT, [
      { message: "not an int", path: ["ops", "load", "config", "parts", "0", "day"] },
      { message: "missing", path: ["ops", "load", "config", "limit"] },
      { message: "bad indentation at line 9, column 1", path: [] },
      { message: "odd", path: [] },
    ]);
    expect(marked.map((mistake) => mistake.line)).toEqual([5, 2, 8, 0]);
    expect(marked[0]).toMatchObject({ from: 8, to: 11 });
  });
});

describe("schemaRows", () => {
  it("opens required and written branches", () => {
    const rows = schemaRows(SCHEMA, "resources: {}");
    expect(rows.map((row) => `${row.depth} ${row.name} ${row.present}`)).toEqual([
      "0 ops false",
      "1 load false",
      "2 config false",
      "3 table false",
      "3 limit false",
      "3 mode false",
      "3 dry false",
      "3 parts false",
      "0 resources true",
    ]);
  });
});

describe("a value or a longer form, and a field by its alias", () => {
  const either: ConfigType = {
    type: "shape",
    fields: {
      size: {
        type: {
          type: "scalar_union",
          scalar: { type: "scalar", kind: "int" },
          other: { type: "shape", fields: { least: { type: { type: "scalar", kind: "int" } } } },
        },
      },
      people: { type: { type: "map", key_label: "person", value: { type: "scalar", kind: "str" } } },
    },
    aliases: { size: "sz" },
  };

  it("are described, entered and offered", () => {
    expect(describeType(typeAt(either, ["size"])!)).toBe("int, or mapping");
    expect(describeType(typeAt(either, ["people"])!)).toBe("map of person to str");
    expect(typeAt(either, ["sz", "least"])).toEqual({ type: "scalar", kind: "int" });
    expect(fieldAt(either, ["sz"])).toBe(fieldAt(either, ["size"]));
    expect(offersAt(either, "size:\n  ", 1, 2)?.offers.map((offer) => offer.label)).toEqual(["least"]);
  });
});
