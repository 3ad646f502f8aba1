import { describe, expect, it } from "vitest";

import { afterReturns, ansiPieces } from "./ansi.model";

describe("ansiPieces", () => {
  it("gives a plain line as it is, and an empty one as nothing", () => {
    expect(ansiPieces("hello")).toEqual([{ text: "hello", colour: null, bold: false, dim: false }]);
    expect(ansiPieces("")).toEqual([]);
  });

  it("follows colours and their end, and drops what is not a colour", () => {
    const pieces = ansiPieces("\u001B[2K\u001B[1;31mbad\u001B[0m then \u001B[92mgood\u001B[39m.");
    expect(pieces.map((piece) => [piece.text, piece.colour, piece.bold])).toEqual([
      ["bad", 1, true],
      [" then ", null, false],
      ["good", 2, false],
      [".", null, false],
    ]);
  });

  it("loses no letter of the text", () => {
    expect(ansiPieces("a\u001B[31mb\u001B[mc").map((piece) => piece.text).join("")).toBe("abc");
  });
});

describe("afterReturns", () => {
  it("keeps what a progress bar showed last", () => {
    expect(afterReturns("10%\r20%\r100%\r")).toBe("100%");
    expect(afterReturns("plain")).toBe("plain");
  });

  it("does not yet decide what a carriage return at the end of a growing line means", () => {
    const growing = afterReturns("10%\r20%\r", false);
    expect(growing).toBe("20%\r");
    expect(afterReturns(`${growing}30%`, false)).toBe("30%");
    expect(afterReturns(growing)).toBe("20%");
  });
});
