/** Reads a safe subset of Markdown into a tree. HTML is text; links and images are let through by a short list. */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "emphasis" | "strike"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] }
  | { kind: "image"; src: string; alt: string }
  | { kind: "break" };

export type Align = "left" | "center" | "right";

export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; ordered: boolean; start: number; items: Block[][] }
  | { kind: "table"; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+|$)(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DIVIDER = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const MAX_DEPTH = 8;

/** The blocks of a text; whatever is not understood stays as text. */
export function parseMarkdown(source: string): Block[] {
  return parseBlocks(source.replaceAll("\r\n", "\n").split("\n"), 0);
}

function parseBlocks(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line.trim() === "") {
      at++;
      continue;
    }
    const [block, next] = depth < MAX_DEPTH ? parseBlock(lines, at, depth) : parseParagraph(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

function parseBlock(lines: readonly string[], at: number, depth: number): [Block, number] {
  const line = lines[at]!;
  const fence = FENCE.exec(line);
  if (fence) return parseFence(lines, at, fence[1]!, fence[2] ?? "");
  const heading = HEADING.exec(line);
  if (heading) return [{ kind: "heading", level: heading[1]!.length, children: parseInline(heading[2]!) }, at + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (QUOTE.test(line)) {
    let end = at;
    while (end < lines.length && QUOTE.test(lines[end]!)) end++;
    const inner = lines.slice(at, end).map((quoted) => QUOTE.exec(quoted)![1]!);
    return [{ kind: "quote", children: parseBlocks(inner, depth + 1) }, end];
  }
  if (ITEM.test(line)) return parseList(lines, at, depth);
  const under = lines[at + 1];
  if (line.includes("|") && under !== undefined && under.includes("-") && DIVIDER.test(under)) {
    return parseTable(lines, at);
  }
  return parseParagraph(lines, at);
}

function parseFence(lines: readonly string[], at: number, mark: string, language: string): [Block, number] {
  let end = at + 1;
  while (end < lines.length && !lines[end]!.trim().startsWith(mark)) end++;
  return [{ kind: "code", language, text: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function parseList(lines: readonly string[], at: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[at]!)!;
  const ordered = /\d/.test(first[2]!);
  const items: string[][] = [];
  let indent = 0;
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end]!;
    const item = ITEM.exec(line);
    if (item && /\d/.test(item[2]!) === ordered && item[1]!.length <= first[1]!.length + 1) {
      indent = item[1]!.length + item[2]!.length + Math.max(1, Math.min(4, item[3]!.length));
      items.push([item[4]!]);
      continue;
    }
    const inside = line.search(/\S/) >= Math.min(indent, 2);
    const blank = line.trim() === "";
    const more = lines[end + 1];
    if (blank ? more === undefined || !(more.search(/\S/) >= 2 || ITEM.test(more)) : !inside) break;
    items.at(-1)!.push(line.slice(Math.min(indent, Math.max(0, line.search(/\S/)))));
  }
  const start = ordered ? Number.parseInt(first[2]!, 10) : 1;
  return [{ kind: "list", ordered, start, items: items.map((item) => parseBlocks(item, depth + 1)) }, end];
}

function parseTable(lines: readonly string[], at: number): [Block, number] {
  const head = cells(lines[at]!);
  const align = cells(lines[at + 1]!).map((cell): Align => {
    if (cell.endsWith(":")) return cell.startsWith(":") ? "center" : "right";
    return "left";
  });
  let end = at + 2;
  while (end < lines.length && lines[end]!.includes("|") && lines[end]!.trim() !== "") end++;
  const rows = lines.slice(at + 2, end).map((line) => {
    const row = cells(line);
    return head.map((_, column) => parseInline(row[column] ?? ""));
  });
  return [
    { kind: "table", align: head.map((_, column) => align[column] ?? "left"), head: head.map(parseInline), rows },
    end,
  ];
}

function cells(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function parseParagraph(lines: readonly string[], at: number): [Block, number] {
  let end = at + 1;
  const ends = (line: string) =>
    line.trim() === "" ||
    FENCE.test(line) ||
    HEADING.test(line) ||
    RULE.test(line) ||
    QUOTE.test(line) ||
    ITEM.test(line);
  while (end < lines.length && !ends(lines[end]!)) end++;
  const text = lines
    .slice(at, end)
    .map((line) => line.trimStart())
    .join("\n");
  return [{ kind: "paragraph", children: parseInline(text) }, end];
}

type Rule = readonly [pattern: RegExp, build: (match: RegExpExecArray, depth: number) => Inline];

/** Tried in this order at every place; the first that matches wins. */
const RULES: readonly Rule[] = [
  [/\\([\\`*_{}[\]()#+\-.!|~>])/y, (match) => ({ kind: "text", text: match[1]! })],
  [/(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/y, (match) => ({ kind: "code", text: match[2]!.trim() })],
  [/!\[([^\]]*)\]\(\s*<?([^)\s>]+)>?[^)]*\)/y, (match) => image(match[1]!, match[2]!)],
  [/\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^)\s>]+)>?[^)]*\)/y, (match, depth) => link(match[1]!, match[2]!, depth)],
  [/<(https?:\/\/[^>\s]+)>/y, (match) => link(match[1]!, match[1]!, MAX_DEPTH)],
  [/https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"]/y, (match) => link(match[0], match[0], MAX_DEPTH)],
  [/(\*\*|__)(?=\S)([\s\S]*?\S)\1/y, (match, depth) => ({ kind: "strong", children: parseInline(match[2]!, depth) })],
  [/~~(?=\S)([\s\S]*?\S)~~/y, (match, depth) => ({ kind: "strike", children: parseInline(match[1]!, depth) })],
  [/\*(?=[^\s*])([^*]*[^\s*])\*/y, (match, depth) => ({ kind: "emphasis", children: parseInline(match[1]!, depth) })],
  [
    /(?<!\w)_(?=[^\s_])([^_]*[^\s_])_(?!\w)/y,
    (match, depth) => ({ kind: "emphasis", children: parseInline(match[1]!, depth) }),
  ],
  [/(?: {2,}|\\)\n/y, () => ({ kind: "break" })],
];

function parseInline(source: string, depth = 0): Inline[] {
  if (depth > MAX_DEPTH) return [{ kind: "text", text: source }];
  const found: Inline[] = [];
  let text = "";
  let at = 0;
  scan: while (at < source.length) {
    if (/[\w\s]/.test(source[at]!) && !/[h_ \n]/.test(source[at]!)) {
      text += source[at++];
      continue;
    }
    for (const [pattern, build] of RULES) {
      pattern.lastIndex = at;
      const match = pattern.exec(source);
      if (!match) continue;
      const node = build(match, depth + 1);
      at += match[0].length;
      if (node.kind === "text") text += node.text;
      else {
        if (text) found.push({ kind: "text", text });
        text = "";
        found.push(node);
      }
      continue scan;
    }
    text += source[at++];
  }
  if (text) found.push({ kind: "text", text });
  return found;
}

function link(label: string, href: string, depth: number): Inline {
  const children: Inline[] = depth > MAX_DEPTH - 1 ? [{ kind: "text", text: label }] : parseInline(label, depth);
  return isSafeHref(href) ? { kind: "link", href, children } : { kind: "text", text: `${label} (${href})` };
}

function image(alt: string, src: string): Inline {
  return isSafeImage(src) ? { kind: "image", src, alt } : { kind: "text", text: alt ? `[image: ${alt}]` : "[image]" };
}

/** Whether a link may be followed: the web, mail, or a path of this site. Scripts and data are not. */
export function isSafeHref(href: string): boolean {
  return /^(https?:\/\/|mailto:|\/(?!\/)|#)/i.test(href);
}

/** Whether an image may be shown: only pixels that travel inside the text, so that no view makes a request. */
export function isSafeImage(src: string): boolean {
  return /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/.test(src);
}
