/** Paints a laid out graph on a canvas, with less detail the further away it is seen from. */

import { statusLook, type StatusLook, type Tone } from "../kit/status.model";
import type { Layout } from "./layout.model";
import type { GraphNode, NodeSize } from "./node.model";
import type { NodeIndex } from "./pick.model";
import { visible, type Box, type Size, type Viewport } from "./viewport.model";

/** Colours as the canvas understands them. */
export interface Palette {
  readonly background: string;
  readonly surface: string;
  readonly hover: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly edge: string;
  readonly accent: string;
  readonly selected: string;
  readonly tone: Readonly<Record<Tone, string>>;
  readonly font: string;
}

export interface Scene {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [number, number])[];
  readonly layout: Layout;
  readonly size: NodeSize;
  readonly index: NodeIndex;
  readonly selected: ReadonlySet<number>;
  /** Nodes on the way to or from what is selected; empty: nothing is dimmed. */
  readonly lit: ReadonlySet<number>;
  readonly hovered: number;
  /** The node that the keyboard stands on, or -1. */
  readonly cursor: number;
}

const FAR = 0.2;
const MIDDLE = 0.6;

export function draw(
  context: CanvasRenderingContext2D,
  scene: Scene,
  view: Viewport,
  screen: Size,
  palette: Palette,
  ratio: number,
): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, screen.width, screen.height);
  context.setTransform(view.scale * ratio, 0, 0, view.scale * ratio, view.x * ratio, view.y * ratio);
  const box = visible(view, screen);
  drawEdges(context, scene, view.scale, box, palette);
  const shown = scene.index.within(box);
  if (view.scale < FAR) drawFar(context, scene, shown, palette);
  else for (const node of shown) drawCard(context, scene, node, view.scale, palette);
}

function drawEdges(context: CanvasRenderingContext2D, scene: Scene, scale: number, box: Box, palette: Palette): void {
  const isLit = ([from, to]: readonly [number, number]) => scene.lit.has(from) && scene.lit.has(to);
  for (const lit of [false, true]) {
    if (lit && scene.lit.size === 0) continue;
    context.beginPath();
    scene.edges.forEach((edge, index) => {
      if (scene.lit.size > 0 && isLit(edge) !== lit) return;
      const route = scene.layout.routes[index]!;
      if (touches(route, box)) trace(context, route, scale >= FAR);
    });
    context.strokeStyle = lit ? palette.accent : palette.edge;
    context.globalAlpha = scene.lit.size > 0 && !lit ? 0.45 : 1;
    context.lineWidth = Math.max(lit ? 1.8 : 1.2, 0.6 / scale);
    context.stroke();
  }
  context.globalAlpha = 1;
  if (scale < MIDDLE) return;
  context.fillStyle = palette.edge;
  scene.edges.forEach((_, index) => {
    const route = scene.layout.routes[index]!;
    if (!touches(route, box)) return;
    const x = route[route.length - 2]!;
    const y = route[route.length - 1]!;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - 6, y - 3.5);
    context.lineTo(x - 6, y + 3.5);
    context.fill();
  });
}

function touches(route: Float32Array, box: Box): boolean {
  let low = Infinity;
  let high = -Infinity;
  for (let at = 1; at < route.length; at += 2) {
    low = Math.min(low, route[at]!);
    high = Math.max(high, route[at]!);
  }
  const left = Math.min(route[0]!, route[route.length - 2]!);
  const right = Math.max(route[0]!, route[route.length - 2]!);
  return right >= box.x && left <= box.x + box.width && high >= box.y && low <= box.y + box.height;
}

/** A route's points come in pairs: a curve between layers, then a straight way past a layer, and so on. */
function trace(context: CanvasRenderingContext2D, route: Float32Array, curved: boolean): void {
  context.moveTo(route[0]!, route[1]!);
  for (let at = 2, curve = true; at < route.length; at += 2, curve = !curve) {
    const x = route[at]!;
    const y = route[at + 1]!;
    const fromX = route[at - 2]!;
    const fromY = route[at - 1]!;
    if (!curve || !curved || Math.abs(fromY - y) < 0.5) {
      context.lineTo(x, y);
      continue;
    }
    const bow = Math.max(24, Math.abs(x - fromX) * 0.5);
    context.bezierCurveTo(fromX + bow, fromY, x - bow, y, x, y);
  }
}

function drawFar(context: CanvasRenderingContext2D, scene: Scene, shown: readonly number[], palette: Palette): void {
  const { x, y } = scene.layout;
  const { nodeWidth, nodeHeight } = scene.size;
  for (const tone of Object.keys(palette.tone) as Tone[]) {
    context.fillStyle = palette.tone[tone];
    for (const node of shown) {
      if (statusLook(scene.nodes[node]!.status).tone === tone)
        context.fillRect(x[node]!, y[node]!, nodeWidth, nodeHeight);
    }
  }
  context.strokeStyle = palette.accent;
  context.lineWidth = 12;
  for (const node of scene.selected) context.strokeRect(x[node]!, y[node]!, nodeWidth, nodeHeight);
}

function drawCard(
  context: CanvasRenderingContext2D,
  scene: Scene,
  node: number,
  scale: number,
  palette: Palette,
): void {
  const data = scene.nodes[node]!;
  const x = scene.layout.x[node]!;
  const y = scene.layout.y[node]!;
  const selected = scene.selected.has(node);
  context.globalAlpha = scene.lit.size > 0 && !scene.lit.has(node) ? 0.45 : 1;
  context.beginPath();
  context.roundRect(x, y, scene.size.nodeWidth, scene.size.nodeHeight, 7);
  context.fillStyle = selected ? palette.selected : scene.hovered === node ? palette.hover : palette.surface;
  context.fill();
  context.strokeStyle = selected || scene.cursor === node ? palette.accent : palette.line;
  context.lineWidth = selected || scene.cursor === node ? Math.max(2, 1.5 / scale) : 1;
  context.setLineDash(data.outside ? [5, 4] : []);
  context.stroke();
  context.setLineDash([]);
  const box: Box = { x, y, width: scene.size.nodeWidth, height: scene.size.nodeHeight };
  if (scale < MIDDLE) drawName(context, data, box, scale, palette);
  else drawDetail(context, data, box, palette);
  context.globalAlpha = 1;
}

function drawName(context: CanvasRenderingContext2D, data: GraphNode, box: Box, scale: number, palette: Palette): void {
  const { x, y, width, height } = box;
  const size = Math.min(24, 11 / scale);
  if (data.status) drawShape(context, statusLook(data.status), x + 20, y + height / 2, 8, palette);
  context.font = `500 ${size}px ${palette.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = palette.text;
  context.fillText(cut(context, data.label, width - 48), data.status ? x + 36 : x + 16, y + height / 2);
}

function drawDetail(context: CanvasRenderingContext2D, data: GraphNode, box: Box, palette: Palette): void {
  const { x, y, width, height } = box;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.font = `600 13px ${palette.font}`;
  context.fillStyle = palette.text;
  const label = cut(context, data.label, width - 24);
  context.fillText(label, x + 12, y + 23);
  if (data.badge) {
    const room = width - 34 - context.measureText(label).width;
    context.font = `11px ${palette.font}`;
    context.textAlign = "right";
    context.fillStyle = palette.muted;
    if (context.measureText(data.badge).width <= room) context.fillText(data.badge, x + width - 12, y + 22);
  }
  const look = data.status ? statusLook(data.status) : undefined;
  if (look) drawShape(context, look, x + 17, y + 39, 5.5, palette);
  context.font = `12px ${palette.font}`;
  let detailWidth = 0;
  if (data.detail) {
    context.textAlign = "right";
    context.fillStyle = palette.muted;
    const detail = cut(context, data.detail, 96);
    detailWidth = context.measureText(detail).width + 8;
    context.fillText(detail, x + width - 12, y + 43);
  }
  context.textAlign = "left";
  context.fillStyle = palette.muted;
  const words = data.note ?? look?.label ?? "";
  context.fillText(cut(context, words, width - 40 - detailWidth), look ? x + 28 : x + 12, y + 43);
  if (data.progress === undefined) return;
  context.fillStyle = palette.line;
  context.fillRect(x + 7, y + height - 3, width - 14, 2);
  context.fillStyle = palette.tone.good;
  context.fillRect(x + 7, y + height - 3, (width - 14) * data.progress, 2);
}

/** The shape of a status, the same as in the kit's tags: never colour alone. */
function drawShape(
  context: CanvasRenderingContext2D,
  look: StatusLook,
  x: number,
  y: number,
  r: number,
  palette: Palette,
): void {
  const at = (dx: number, dy: number) => [x + dx * r, y + dy * r] as const;
  const line = (...points: (readonly [number, number])[]) => {
    points.forEach(([px, py], index) => (index === 0 ? context.moveTo(px, py) : context.lineTo(px, py)));
  };
  context.fillStyle = palette.tone[look.tone];
  context.strokeStyle = palette.tone[look.tone];
  context.lineWidth = r * 0.28;
  context.beginPath();
  switch (look.shape) {
    case "check":
    case "cross":
    case "dash":
    case "skip":
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
      context.strokeStyle = palette.surface;
      if (look.shape === "check") line(at(-0.42, 0.03), at(-0.12, 0.33), at(0.42, -0.32));
      else if (look.shape === "dash") line(at(-0.42, 0), at(0.42, 0));
      else if (look.shape === "skip") line(at(-0.3, -0.35), at(0.05, 0), at(-0.3, 0.35));
      else {
        line(at(-0.35, -0.35), at(0.35, 0.35));
        line(at(0.35, -0.35), at(-0.35, 0.35));
      }
      break;
    case "dot":
      context.arc(x, y, r * 0.6, 0, 2 * Math.PI);
      context.fill();
      return;
    case "hollow":
      context.arc(x, y, r * 0.75, 0, 2 * Math.PI);
      break;
    case "clock":
      context.arc(x, y, r * 0.8, 0, 2 * Math.PI);
      line(at(0, -0.45), at(0, 0), at(0.3, 0.2));
      break;
    case "ring":
      context.arc(x, y, r * 0.8, -Math.PI / 2, Math.PI);
      break;
  }
  context.stroke();
}

const widths = new Map<string, string>();

/** The text, shortened in the middle when it does not fit. */
function cut(context: CanvasRenderingContext2D, text: string, room: number): string {
  const key = `${context.font}|${Math.round(room)}|${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  let shown = text;
  for (let keep = text.length - 1; keep > 3 && context.measureText(shown).width > room; keep--) {
    const head = Math.ceil(keep * 0.6);
    shown = `${text.slice(0, head)}…${text.slice(text.length - (keep - head))}`;
  }
  if (widths.size > 20_000) widths.clear();
  widths.set(key, shown);
  return shown;
}
