/** The graph's colours, from the theme's tokens. */

import { useMemo } from "react";
import { useCanvasColours } from "../kit/canvasColours";
import type { Palette } from "./draw";

const TOKENS = [
  "bg",
  "surface",
  "hover",
  "text",
  "text-2",
  "line-strong",
  "text-3",
  "accent",
  "selected",
  "good",
  "bad",
  "busy",
  "wait",
  "idle",
] as const;

export function usePalette(): Palette {
  const token = useCanvasColours(TOKENS);
  return useMemo(
    () => ({
      background: token.bg,
      surface: token.surface,
      hover: token.hover,
      text: token.text,
      muted: token["text-2"],
      line: token["line-strong"],
      edge: token["text-3"],
      accent: token.accent,
      selected: token.selected,
      tone: { good: token.good, bad: token.bad, busy: token.busy, wait: token.wait, idle: token.idle },
      font: getComputedStyle(document.body).fontFamily,
    }),
    [token],
  );
}
