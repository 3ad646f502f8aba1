/** Reads the colour codes that terminals understand. Pure. */

export interface Piece {
  text: string;
  /** 0-7 as terminals count them; null: the text's own colour. */
  colour: number | null;
  bold: boolean;
  dim: boolean;
}

// oxlint-disable-next-line no-control-regex -- the escape character is what this file is about
const CODE = /\u001B\[([0-9;]*)([A-Za-z])/g;

/** A line as pieces of one look each. Codes other than colours are dropped, and each line begins plain. */
export function ansiPieces(line: string): Piece[] {
  const pieces: Piece[] = [];
  let look: Omit<Piece, "text"> = { colour: null, bold: false, dim: false };
  let at = 0;
  const add = (text: string) => {
    if (text !== "") pieces.push({ text, ...look });
  };
  for (const match of line.matchAll(CODE)) {
    add(line.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") for (const code of (match[1] ?? "").split(";")) look = applied(look, Number(code));
  }
  add(line.slice(at));
  return pieces;
}

function applied(look: Omit<Piece, "text">, code: number): Omit<Piece, "text"> {
  if (code === 0) return { colour: null, bold: false, dim: false };
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 22) return { ...look, bold: false, dim: false };
  if (code === 39) return { ...look, colour: null };
  if (code >= 30 && code <= 37) return { ...look, colour: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, colour: code - 90 };
  return look;
}

/**
 * A line as a terminal shows it in the end: what a carriage return overwrote is gone. While the line is not `whole`, one at
 * its end stays, since what follows decides whether it overwrites the line or ends it.
 */
export function afterReturns(line: string, whole = true): string {
  const content = line.replace(/\r+$/, "");
  const shown = content.split("\r").at(-1)!;
  return whole || content.length === line.length ? shown : `${shown}\r`;
}
