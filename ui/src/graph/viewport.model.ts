/** Pan and zoom: how world units become pixels of the canvas. A new value for every change, never a mutation. */

export interface Viewport {
  readonly scale: number;
  /** Where the world's origin lies, in pixels. */
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Size, Point {}

export const MIN_SCALE = 0.004;
export const MAX_SCALE = 2;

const clampScale = (scale: number): number => Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));

/** The whole world in the middle, with a margin, and never larger than life. */
export function fit(world: Size, screen: Size, margin = 32): Viewport {
  if (world.width <= 0 || world.height <= 0) return { scale: 1, x: margin, y: margin };
  const room = { width: Math.max(1, screen.width - 2 * margin), height: Math.max(1, screen.height - 2 * margin) };
  const scale = clampScale(Math.min(1, room.width / world.width, room.height / world.height));
  return { scale, x: (screen.width - world.width * scale) / 2, y: (screen.height - world.height * scale) / 2 };
}

/** Below this scale a graph says nothing at first sight. */
const WORTHWHILE = 0.15;

/** The size of what is not dust. */
const BEGINNING = 0.7;

/** Where to begin: the whole world, or its head, at the left in readable size, when the whole would be dust. */
export function begin(world: Size, screen: Size, head: Point, margin = 32): Viewport {
  const whole = fit(world, screen, margin);
  if (whole.scale >= WORTHWHILE) return whole;
  return { scale: BEGINNING, x: margin - head.x * BEGINNING, y: screen.height / 3 - head.y * BEGINNING };
}

/** Zooms by a factor and keeps the world's point under the given pixel where it is. */
export function zoomAt(view: Viewport, factor: number, px: number, py: number): Viewport {
  const scale = clampScale(view.scale * factor);
  const ratio = scale / view.scale;
  return { scale, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio };
}

export function pan(view: Viewport, dx: number, dy: number): Viewport {
  return { scale: view.scale, x: view.x + dx, y: view.y + dy };
}

/** The world's point under a pixel. */
export function toWorld(view: Viewport, px: number, py: number): { x: number; y: number } {
  return { x: (px - view.x) / view.scale, y: (py - view.y) / view.scale };
}

/** The part of the world that the screen shows. */
export function visible(view: Viewport, screen: Size): Box {
  return { ...toWorld(view, 0, 0), width: screen.width / view.scale, height: screen.height / view.scale };
}

/** The view moved as little as needed to show a box with a margin; the same value when it is shown already. */
export function reveal(view: Viewport, box: Box, screen: Size, margin = 24): Viewport {
  const left = box.x * view.scale + view.x;
  const top = box.y * view.scale + view.y;
  const dx = nudge(left, left + box.width * view.scale, screen.width, margin);
  const dy = nudge(top, top + box.height * view.scale, screen.height, margin);
  return dx === 0 && dy === 0 ? view : pan(view, dx, dy);
}

/** The view with a box in the middle, readable. */
export function centre(view: Viewport, box: Box, screen: Size): Viewport {
  const scale = Math.max(view.scale, 0.8);
  return {
    scale,
    x: screen.width / 2 - (box.x + box.width / 2) * scale,
    y: screen.height / 2 - (box.y + box.height / 2) * scale,
  };
}

function nudge(low: number, high: number, room: number, margin: number): number {
  if (low < margin) return margin - low;
  if (high > room - margin) return Math.max(room - margin - high, margin - low);
  return 0;
}
