/**
 * Where each key of a YAML text stands. It follows indentation only, line by line, so it also answers for a text
 * that is half typed; values in flow style (`{…}`, `[…]`) are one leaf.
 */

import type { Path } from "./configTree.model";

export interface Entry {
  readonly path: Path;
  /** Line from 0, and the columns of the key (or of the dash of a list item). */
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

interface Frame {
  readonly column: number;
  readonly list: boolean;
  readonly path: Path;
  current: string | number;
}

const KEY = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#:"'[\]{},&*!|>%@`-][^:#]*?|-[^\s:#][^:#]*?))\s*:(?=\s|$)/;
const BLOCK_TEXT = /:\s*[|>][+-]?\d?\s*(#.*)?$|^\s*(?:- )+[|>][+-]?\s*$/;

/** Every key and list item, in order. */
export function outline(text: string): Entry[] {
  return read(text.split("\n")).entries;
}

export interface Spot {
  /** Of the mapping that a key typed here would belong to, or of the key whose value is typed here. */
  readonly path: Path;
  readonly kind: "key" | "value";
  /** What is typed so far, and the column it starts at. */
  readonly typed: string;
  readonly column: number;
}

/** What is being typed at a place of the text; undefined in comments and in block text. */
export function spotAt(text: string, line: number, column: number): Spot | undefined {
  const lines = text.split("\n");
  const { frames, inBlockText } = read(lines.slice(0, line));
  const before = (lines[line] ?? "").slice(0, column);
  const indent = before.length - before.trimStart().length;
  if (/(^|\s)#/.test(before) || (inBlockText !== undefined && indent > inBlockText)) return undefined;
  const content = enterItems(before, frames, line, []);
  const rest = before.slice(content);
  const key = KEY.exec(rest);
  enterColumn(frames, content);
  const top = frames.at(-1);
  const parent = !top ? [] : top.column === content && !top.list ? top.path : childPath(top);
  if (!key) return { path: parent, kind: "key", typed: rest, column: content };
  const typed = rest.slice(key[0].length).trimStart();
  return { path: [...parent, keyText(key)], kind: "value", typed, column: column - typed.length };
}

/** The entry of a path, or of the nearest one above it that the text has. */
export function nearestEntry(entries: readonly Entry[], path: readonly string[]): Entry | undefined {
  let best: Entry | undefined;
  for (const entry of entries) {
    if (entry.path.length > path.length || entry.path.length <= (best?.path.length ?? 0)) continue;
    if (entry.path.every((part, index) => String(part) === path[index])) best = entry;
  }
  return best;
}

/** The keys that a mapping has already. */
export function keysUnder(entries: readonly Entry[], path: Path): Set<string> {
  const found = new Set<string>();
  for (const entry of entries) {
    if (entry.path.length !== path.length + 1) continue;
    if (path.every((part, index) => String(part) === String(entry.path[index]))) found.add(String(entry.path.at(-1)));
  }
  return found;
}

function read(lines: readonly string[]): { entries: Entry[]; frames: Frame[]; inBlockText: number | undefined } {
  const entries: Entry[] = [];
  const frames: Frame[] = [];
  let inBlockText: number | undefined;
  lines.forEach((text, line) => {
    const indent = text.search(/\S/);
    if (indent < 0) return;
    if (inBlockText !== undefined && indent > inBlockText) return;
    inBlockText = undefined;
    if (text[indent] === "#" || text.startsWith("---")) return;
    const content = enterItems(text, frames, line, entries);
    const key = KEY.exec(text.slice(content));
    if (key) {
      enterColumn(frames, content);
      const top = frames.at(-1);
      const name = keyText(key);
      if (top && top.column === content && !top.list) top.current = name;
      else frames.push({ column: content, list: false, path: top ? childPath(top) : [], current: name });
      const end = content + key[0].length - 1;
      entries.push({ path: childPath(frames.at(-1)!), line, from: content, to: end });
    }
    if (BLOCK_TEXT.test(text)) inBlockText = indent;
  });
  return { entries, frames, inBlockText };
}

/** Takes the dashes at the head of a line as list items; answers the column where the item's content begins. */
function enterItems(text: string, frames: Frame[], line: number, entries: Entry[]): number {
  let column = text.length - text.trimStart().length;
  while (/^-(\s|$)/.test(text.slice(column))) {
    while (frames.length > 0 && frames.at(-1)!.column > column) frames.pop();
    const top = frames.at(-1);
    if (top?.list && top.column === column) top.current = Number(top.current) + 1;
    else frames.push({ column, list: true, path: top ? childPath(top) : [], current: 0 });
    entries.push({ path: childPath(frames.at(-1)!), line, from: column, to: column + 1 });
    const after = text.slice(column + 1).search(/\S/);
    column += after < 0 ? 2 : 1 + after;
  }
  return column;
}

function enterColumn(frames: Frame[], column: number): void {
  for (
    let top = frames.at(-1);
    top && (top.column > column || (top.column === column && top.list));
    top = frames.at(-1)
  ) {
    frames.pop();
  }
}

function keyText(match: RegExpExecArray): string {
  return match[1]?.replace(/\\(.)/g, "$1") ?? match[2]?.replaceAll("''", "'") ?? match[3]!.trim();
}

const childPath = (frame: Frame): Path => [...frame.path, frame.current];
