/** The layout of a graph: at once for small graphs, from a worker for large ones, and remembered by content. */

import { useEffect, useMemo, useState } from "react";
import { layout, type Edge, type Layout, type LayoutInput } from "./layout.model";
import type { NodeSize } from "./node.model";

/** Up to this many nodes a layout takes a few milliseconds: less than a worker's round trip. */
const AT_ONCE = 400;
const REMEMBERED = 12;

const remembered = new Map<string, Layout>();
const waiting = new Map<number, (layout: Layout) => void>();
let worker: Worker | undefined;
let asked = 0;

/** The layout, or undefined while a worker is at it. */
export function useLayout(count: number, edges: readonly Edge[], size: NodeSize): Layout | undefined {
  const key = useMemo(() => `${size.nodeWidth} ${count}:${edges.join(";")}`, [count, edges, size]);
  const ready = useMemo(() => {
    const known = remembered.get(key);
    if (known || count > AT_ONCE) return known;
    return remember(key, layout({ count, edges, ...size }));
  }, [key, count, edges, size]);
  const [made, setMade] = useState<{ key: string; layout: Layout }>();
  useEffect(() => {
    if (ready) return undefined;
    let wanted = true;
    void layoutInWorker({ count, edges, ...size }).then((result) => {
      remember(key, result);
      if (wanted) setMade({ key, layout: result });
    });
    return () => {
      wanted = false;
    };
  }, [ready, key, count, edges, size]);
  return ready ?? (made?.key === key ? made.layout : undefined);
}

function remember(key: string, result: Layout): Layout {
  const oldest = remembered.keys().next();
  if (remembered.size >= REMEMBERED && !oldest.done) remembered.delete(oldest.value);
  remembered.set(key, result);
  return result;
}

function layoutInWorker(input: LayoutInput): Promise<Layout> {
  if (!worker) {
    worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<{ id: number; layout: Layout }>) => {
      waiting.get(data.id)?.(data.layout);
      waiting.delete(data.id);
    };
  }
  const id = ++asked;
  const made = new Promise<Layout>((resolve) => waiting.set(id, resolve));
  worker.postMessage({ id, input });
  return made;
}
