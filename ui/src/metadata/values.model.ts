/** Turns the texts in which values travel into what a reader wants to see. Pure. */

/** JSON on several lines; the text itself when it is no JSON. */
export function prettyJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const short = JSON.stringify(value);
    return short.length <= 60 ? short : JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}

export interface Cell {
  readonly text: string;
  readonly isNumber: boolean;
}

/** The cells of a table whose rows are JSON objects (or arrays in the order of the columns). */
export function tableRows(columns: readonly string[], records: readonly string[]): Cell[][] {
  return records.map((record) => {
    let row: unknown;
    try {
      row = JSON.parse(record);
    } catch {
      return [{ text: record, isNumber: false }];
    }
    const values = Array.isArray(row)
      ? row
      : columns.map((column) => (row as Record<string, unknown> | null)?.[column]);
    return columns.map((_, index) => cell(values[index]));
  });
}

function cell(value: unknown): Cell {
  if (typeof value === "number")
    return { text: Number.isInteger(value) ? value.toLocaleString("en") : String(value), isNumber: true };
  if (value === undefined || value === null) return { text: "", isNumber: false };
  return { text: typeof value === "string" ? value : JSON.stringify(value), isNumber: false };
}

interface Constraints {
  readonly nullable: boolean;
  readonly unique: boolean;
  readonly other: readonly string[];
}

/** What holds for the values of a column, in words; nothing where all is allowed. */
export function constraintWords({ nullable, unique, other }: Constraints): string {
  return [nullable ? null : "not null", unique ? "unique" : null, ...other].filter((word) => word !== null).join(", ");
}

/** A local place in code as editors write it: `load.py:12`. */
export function placeOfCode(file: string, line: number | null): string {
  return line === null ? file : `${file}:${line}`;
}
