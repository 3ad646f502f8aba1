/** A graph to look at and to work with: canvas, pointer, keyboard, and a list that says the same. */

import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { statusLook } from "../kit/status.model";
import { draw } from "./draw";
import css from "./GraphView.module.css";
import { GraphToolbar } from "./GraphToolbar";
import { adjacency, type Edge } from "./layers.model";
import { NodeTable } from "./NodeTable";
import { type GraphNode, type NodeSize, WIDE } from "./node.model";
import { indexNodes } from "./pick.model";
import { useLayout } from "./useLayout";
import { usePalette } from "./usePalette";
import { useViewport } from "./useViewport";
import { centre, fit, pan, reveal, toWorld, zoomAt, type Box } from "./viewport.model";
import { reach, walk, type Direction } from "./walk.model";

interface GraphViewProps {
  /** What the graph is of, for readers who do not see it. */
  readonly label: string;
  readonly nodes: readonly GraphNode[];
  /** By index into the nodes; keep the array's identity while it stays the same. */
  readonly edges: readonly Edge[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (ids: ReadonlySet<string>) => void;
  /** Enter or double click. */
  readonly onOpen?: (id: string) => void;
  /** Brought into the middle when it changes. */
  readonly focus?: string;
  readonly size?: NodeSize;
}

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};
/** A press that moves less than this many pixels is a click. */
const CLICK = 4;
/** From this scale on the whole graph is shown rather than a part of it. */
const READABLE = 0.6;

export function GraphView({ label, nodes, edges, selected, onSelect, onOpen, focus, size = WIDE }: GraphViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [asTable, setAsTable] = useState(false);
  const [hovered, setHovered] = useState(-1);
  const [cursor, setCursor] = useState(-1);
  const optionId = useId();
  const layout = useLayout(nodes.length, edges, size);
  const palette = usePalette();
  const { view, screen, move, fitAll } = useViewport(host, layout);
  const near = useMemo(() => adjacency(nodes.length, edges), [nodes.length, edges]);
  const index = useMemo(
    () => layout && indexNodes(layout.x, layout.y, size.nodeWidth, size.nodeHeight),
    [layout, size],
  );
  const places = useMemo(() => new Map(nodes.map((node, place) => [node.id, place])), [nodes]);
  const chosen = useMemo(() => new Set([...selected].flatMap((id) => places.get(id) ?? [])), [selected, places]);
  const lit = useMemo(() => {
    if (chosen.size === 0) return chosen;
    return new Set([...reach(chosen, "upstream", near), ...reach(chosen, "downstream", near)]);
  }, [chosen, near]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || !layout || !index || screen.width === 0) return undefined;
    const frame = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio;
      const width = Math.round(screen.width * ratio);
      const height = Math.round(screen.height * ratio);
      if (element.width !== width) element.width = width;
      if (element.height !== height) element.height = height;
      const scene = { nodes, edges, layout, size, index, selected: chosen, lit, hovered, cursor };
      draw(context, scene, view, screen, palette, ratio);
    });
    return () => cancelAnimationFrame(frame);
  }, [nodes, edges, layout, size, index, chosen, lit, hovered, cursor, view, screen, palette, asTable]);

  const boxOf = (node: number): Box => ({
    x: layout!.x[node]!,
    y: layout!.y[node]!,
    width: size.nodeWidth,
    height: size.nodeHeight,
  });
  const focused = focus === undefined ? undefined : places.get(focus);
  useEffect(() => {
    if (focused === undefined || !layout || screen.width === 0 || fit(layout, screen).scale >= READABLE) return;
    move((now) => centre(now, boxOf(focused), screen));
    // Only a new focus moves the view, not a new size of the screen.
  }, [focused, layout, screen.width > 0]);

  const press = useRef<{ x: number; y: number; moved: boolean } | undefined>(undefined);
  const nodeUnder = (event: PointerEvent | React.MouseEvent): number => {
    const { left, top } = host.current!.getBoundingClientRect();
    const point = toWorld(view, event.clientX - left, event.clientY - top);
    return index?.at(point.x, point.y) ?? -1;
  };
  const onPointerMove = (event: PointerEvent) => {
    const start = press.current;
    if (!start) {
      setHovered(nodeUnder(event));
      return;
    }
    if (!start.moved && Math.hypot(event.clientX - start.x, event.clientY - start.y) < CLICK) return;
    move((now) => pan(now, event.clientX - start.x, event.clientY - start.y));
    press.current = { x: event.clientX, y: event.clientY, moved: true };
  };
  const onPointerUp = (event: PointerEvent) => {
    const moved = press.current?.moved ?? true;
    press.current = undefined;
    if (moved) return;
    const node = nodeUnder(event);
    setCursor(node);
    if (node < 0) onSelect(new Set());
    else choose(node, event.ctrlKey || event.metaKey || event.shiftKey);
  };
  const choose = (node: number, add: boolean) => {
    const { id } = nodes[node]!;
    if (!add) onSelect(new Set([id]));
    else
      onSelect(selected.has(id) ? new Set([...selected].filter((other) => other !== id)) : new Set([...selected, id]));
  };

  const goTo = (node: number) => {
    setCursor(node);
    move((now) => reveal(now, boxOf(node), screen));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!layout || nodes.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = ARROWS[event.key];
    const acts: Readonly<Record<string, () => void>> = {
      Enter: () => cursor >= 0 && onOpen?.(nodes[cursor]!.id),
      " ": () => cursor >= 0 && choose(cursor, true),
      "+": () => move((now) => zoomAt(now, 1.25, screen.width / 2, screen.height / 2)),
      "-": () => move((now) => zoomAt(now, 0.8, screen.width / 2, screen.height / 2)),
      "0": fitAll,
      u: () => selectReach("upstream"),
      d: () => selectReach("downstream"),
    };
    const act = direction
      ? () => goTo(cursor < 0 ? 0 : walk(cursor, direction, near, layout))
      : event.key === "Escape" && selected.size > 0
        ? () => onSelect(new Set())
        : acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const selectReach = (direction: "upstream" | "downstream") => {
    const roots = chosen.size > 0 ? chosen : cursor >= 0 ? [cursor] : [];
    onSelect(new Set([...reach(roots, direction, near)].map((node) => nodes[node]!.id)));
  };

  const current = nodes[cursor];
  return (
    <div className={css.frame}>
      <GraphToolbar
        asTable={asTable}
        onTable={setAsTable}
        onZoom={(factor) => move((now) => zoomAt(now, factor, screen.width / 2, screen.height / 2))}
        onFit={fitAll}
      />
      <div
        ref={host}
        className={css.host}
        hidden={asTable}
        role="listbox"
        aria-label={`${label}: ${nodes.length} nodes. Arrow keys follow the edges, Space selects, Enter opens.`}
        aria-multiselectable
        aria-activedescendant={current ? optionId : undefined}
        tabIndex={0}
        data-pointing={hovered >= 0}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          press.current = { x: event.clientX, y: event.clientY, moved: false };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setHovered(-1)}
        onDoubleClick={(event) => {
          const node = nodeUnder(event);
          if (node >= 0) onOpen?.(nodes[node]!.id);
        }}
      >
        <canvas ref={canvas} className={css.canvas} aria-hidden />
        {current && (
          <span id={optionId} role="option" aria-selected={chosen.has(cursor)} className={css.unseen}>
            {current.label}, {current.note ?? (current.status && statusLook(current.status).label)},{" "}
            {near.before[cursor]!.length} upstream, {near.after[cursor]!.length} downstream
          </span>
        )}
        {!layout && <p className={css.pending}>Laying out {nodes.length} nodes…</p>}
      </div>
      {asTable && (
        <NodeTable label={label} nodes={nodes} near={near} selected={selected} onSelect={onSelect} onOpen={onOpen} />
      )}
    </div>
  );
}
