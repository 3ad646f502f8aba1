/** What the editor offers: completions at a place, words about a key, and the lines that mistakes stand on. */

import {
  choices,
  describeType,
  fieldAt,
  fieldsOf,
  isNested,
  typeAt,
  type ConfigField,
  type ConfigType,
  type Path,
} from "./configTree.model";
import { keysUnder, nearestEntry, outline, spotAt } from "./outline.model";

export interface Offer {
  readonly label: string;
  /** What is put in place of the typed text. */
  readonly insert: string;
  readonly detail: string;
  readonly info?: string;
  readonly required: boolean;
}

export interface Offers {
  /** The column on the line where the typed text starts. */
  readonly column: number;
  readonly offers: readonly Offer[];
}

/** Completions for the place, required keys first; undefined when there is nothing to offer. */
export function offersAt(schema: ConfigType, text: string, line: number, column: number): Offers | undefined {
  const spot = spotAt(text, line, column);
  if (!spot) return undefined;
  const type = typeAt(schema, spot.path);
  if (!type) return undefined;
  if (spot.kind === "value") {
    const offers = choices(type).map((label) => ({ label, insert: label, detail: "", required: false }));
    return offers.length > 0 ? { column: spot.column, offers } : undefined;
  }
  const lines = text.split("\n");
  const others = lines.map((content, index) => (index === line ? content.slice(0, spot.column) : content)).join("\n");
  const present = keysUnder(outline(others), spot.path);
  const offers = Object.entries(fieldsOf(type))
    .filter(([name]) => !present.has(name))
    .map(([name, field]) => offerKey(name, field, spot.column))
    .toSorted((a, b) => Number(b.required) - Number(a.required));
  return offers.length > 0 ? { column: spot.column, offers } : undefined;
}

function offerKey(name: string, field: ConfigField, column: number): Offer {
  const required = field.required !== false;
  const insert = isNested(field.type) ? `${name}:\n${" ".repeat(column + 2)}` : `${name}: `;
  const detail = `${describeType(field.type)}${required ? ", required" : ""}`;
  return { label: name, insert, detail, required, ...(field.description ? { info: field.description } : {}) };
}

export interface KeyWords {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default?: string;
  readonly description?: string;
}

/** Words about the key under a place of the text. */
export function wordsAt(schema: ConfigType, text: string, line: number, column: number): KeyWords | undefined {
  const entry = outline(text).findLast((found) => found.line === line && found.from <= column && column <= found.to);
  const field = entry && fieldAt(schema, entry.path);
  return field && wordsOf(String(entry.path.at(-1)), field);
}

/** Words about one declared field. */
export function wordsOf(name: string, field: ConfigField): KeyWords {
  return {
    name,
    type: describeType(field.type),
    required: field.required !== false,
    ...(field.default !== undefined ? { default: field.secret ? "hidden" : JSON.stringify(field.default) } : {}),
    ...(field.description ? { description: field.description } : {}),
  };
}

export interface Mistake {
  readonly message: string;
  readonly path: readonly string[];
}

export interface MarkedMistake extends Mistake {
  /** From 0. */
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

/** Puts mistakes on the lines that they are about: the key named, or the nearest one above it. */
export function markMistakes(text: string, mistakes: readonly Mistake[]): MarkedMistake[] {
  const entries = outline(text);
  const lines = text.split("\n");
  return mistakes.map((mistake) => {
    const entry = nearestEntry(entries, mistake.path);
    if (entry) return { ...mistake, line: entry.line, from: entry.from, to: entry.to };
    const named = /\bline (\d+)/i.exec(mistake.message);
    const line = named ? Math.min(Math.max(0, Number(named[1]) - 1), lines.length - 1) : 0;
    return { ...mistake, line, from: 0, to: lines[line]!.length };
  });
}

/** One row of the schema pane. */
export interface SchemaRow extends KeyWords {
  readonly path: Path;
  readonly depth: number;
  readonly present: boolean;
}

/** The schema as rows, depth first, with what the text has already; only branches that matter are opened. */
export function schemaRows(schema: ConfigType, text: string): SchemaRow[] {
  const present = new Set(outline(text).map((entry) => entry.path.map(String).join("\n")));
  const rows: SchemaRow[] = [];
  const visit = (type: ConfigType, path: Path) => {
    for (const [name, field] of Object.entries(fieldsOf(type))) {
      const here = [...path, name];
      const has = present.has(here.map(String).join("\n"));
      rows.push({ ...wordsOf(name, field), path: here, depth: path.length, present: has });
      if (has || field.required !== false || path.length === 0) visit(field.type, here);
    }
  };
  visit(schema, []);
  return rows;
}
