import { describe, expect, it } from "vitest";
import { isSafeHref, isSafeImage, parseMarkdown, type Block } from "./markdown.model";

const text = (value: string) => ({ kind: "text", text: value });
const only = (source: string): Block => {
  const blocks = parseMarkdown(source);
  expect(blocks).toHaveLength(1);
  return blocks[0]!;
};

describe("blocks", () => {
  it("reads headings, rules and paragraphs", () => {
    expect(parseMarkdown("# Title #\n\none\ntwo\n***\n")).toEqual([
      { kind: "heading", level: 1, children: [text("Title")] },
      { kind: "paragraph", children: [text("one\ntwo")] },
      { kind: "rule" },
    ]);
  });

  it("keeps fenced code as it is", () => {
    expect(only("```python\nx = **1**\n\n# no heading\n```")).toEqual({
      kind: "code",
      language: "python",
      text: "x = **1**\n\n# no heading",
    });
  });

  it("reads nested lists", () => {
    expect(only("1. one\n   - inner\n2. two")).toEqual({
      kind: "list",
      ordered: true,
      start: 1,
      items: [
        [
          { kind: "paragraph", children: [text("one")] },
          { kind: "list", ordered: false, start: 1, items: [[{ kind: "paragraph", children: [text("inner")] }]] },
        ],
        [{ kind: "paragraph", children: [text("two")] }],
      ],
    });
  });

  it("reads tables with alignment and fills short rows", () => {
    expect(only("| a | b |\n|:--|--:|\n| 1 |")).toEqual({
      kind: "table",
      align: ["left", "right"],
      head: [[text("a")], [text("b")]],
      rows: [[[text("1")], []]],
    });
  });

  it("reads quotes, and ends for any nesting", () => {
    expect(only("> said\n> so")).toEqual({
      kind: "quote",
      children: [{ kind: "paragraph", children: [text("said\nso")] }],
    });
    expect(parseMarkdown(">".repeat(500) + " deep")).toHaveLength(1);
  });
});

describe("inline", () => {
  const inline = (source: string) => {
    const block = only(source);
    return block.kind === "paragraph" ? block.children : [];
  };

  it("reads emphasis, code and escapes", () => {
    expect(inline("**b** *i* `c*d` ~~s~~ \\*x\\* snake_case_name")).toEqual([
      { kind: "strong", children: [text("b")] },
      text(" "),
      { kind: "emphasis", children: [text("i")] },
      text(" "),
      { kind: "code", text: "c*d" },
      text(" "),
      { kind: "strike", children: [text("s")] },
      text(" *x* snake_case_name"),
    ]);
  });

  it("links what is safe and shows the rest as text", () => {
    expect(inline("[ok](https://example.org/a)")).toEqual([
      { kind: "link", href: "https://example.org/a", children: [text("ok")] },
    ]);
    expect(inline("[bad](javascript:alert)")).toEqual([text("bad (javascript:alert)")]);
    expect(inline("see https://example.org/x.")).toEqual([
      text("see "),
      { kind: "link", href: "https://example.org/x", children: [text("https://example.org/x")] },
      text("."),
    ]);
  });

  it("shows images that are in the text, and no others", () => {
    const src = "data:image/png;base64,iVBORw0KGgo=";
    expect(inline(`![plot](${src})`)).toEqual([{ kind: "image", src, alt: "plot" }]);
    expect(inline("![spy](https://example.org/pixel.png)")).toEqual([text("[image: spy]")]);
  });

  it("leaves HTML as text", () => {
    expect(inline("<script>alert(1)</script>")).toEqual([text("<script>alert(1)</script>")]);
  });
});

describe("what is let through", () => {
  it("refuses scripts, other hosts without a scheme, and vector images", () => {
    expect(["javascript:x", "data:text/html,x", "//host/x", " javascript:x"].filter(isSafeHref)).toEqual([]);
    expect(["/assets/a", "#top", "mailto:a@b.c", "HTTPS://a.b"].every(isSafeHref)).toBe(true);
    expect(isSafeImage("data:image/svg+xml;base64,AAAA")).toBe(false);
  });

  it("reads a long data image quickly", () => {
    const src = `data:image/png;base64,${"A".repeat(400_000)}`;
    expect(only(`![p](${src})`)).toEqual({ kind: "paragraph", children: [{ kind: "image", src, alt: "p" }] });
  });
});
