/** Finds the node under a point, through a grid of cells: constant work for any size of graph. */

import type { Box } from "./viewport.model";

export interface NodeIndex {
  /** The node that covers a point of the world, or -1. */
  at(x: number, y: number): number;
  /** Every node that touches a box, in node order. */
  within(box: Box): number[];
}

/** Indexes nodes of one size by their left-top corners. */
export function indexNodes(x: ArrayLike<number>, y: ArrayLike<number>, width: number, height: number): NodeIndex {
  const cellWidth = width * 4;
  const cellHeight = height * 6;
  const column = (value: number) => Math.floor(value / cellWidth);
  const row = (value: number) => Math.floor(value / cellHeight);
  const cells = new Map<string, number[]>();
  for (let node = 0; node < x.length; node++) {
    const key = `${column(x[node]!)}:${row(y[node]!)}`;
    const cell = cells.get(key);
    if (cell) cell.push(node);
    else cells.set(key, [node]);
  }
  const touches = (node: number, box: Box) =>
    x[node]! <= box.x + box.width &&
    x[node]! + width >= box.x &&
    y[node]! <= box.y + box.height &&
    y[node]! + height >= box.y;

  const within = (box: Box): number[] => {
    const found: number[] = [];
    const columns = [column(box.x - width), column(box.x + box.width)] as const;
    const rows = [row(box.y - height), row(box.y + box.height)] as const;
    if ((columns[1] - columns[0] + 1) * (rows[1] - rows[0] + 1) > cells.size) {
      for (let node = 0; node < x.length; node++) if (touches(node, box)) found.push(node);
      return found;
    }
    for (let c = columns[0]; c <= columns[1]; c++) {
      for (let r = rows[0]; r <= rows[1]; r++) {
        for (const node of cells.get(`${c}:${r}`) ?? []) if (touches(node, box)) found.push(node);
      }
    }
    return found.toSorted((a, b) => a - b);
  };
  return { within, at: (px, py) => within({ x: px, y: py, width: 0, height: 0 }).at(-1) ?? -1 };
}
