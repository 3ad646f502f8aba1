/** The graph's view: pan by drag, zoom by wheel and pinch, fitted until the reader takes over. */

import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { headOf, type Layout } from "./layout.model";
import { begin, fit, pan, zoomAt, type Size, type Viewport } from "./viewport.model";

const NOTHING: Size = { width: 0, height: 0 };

export interface ViewportControl {
  readonly view: Viewport;
  readonly screen: Size;
  /** Changes the view and stops fitting. */
  move(change: (view: Viewport) => Viewport): void;
  /** Shows the whole world. */
  fitAll(): void;
}

export function useViewport(host: RefObject<HTMLElement | null>, world: Layout | undefined): ViewportControl {
  const [screen, setScreen] = useState<Size>({ width: 0, height: 0 });
  const [own, setOwn] = useState<Viewport>();
  const head = useMemo(() => (world ? headOf(world) : { x: 0, y: 0 }), [world]);
  const view = own ?? begin(world ?? NOTHING, screen, head);
  const latest = useRef(view);
  useEffect(() => {
    latest.current = view;
  });
  const move = useCallback((change: (view: Viewport) => Viewport) => {
    latest.current = change(latest.current);
    setOwn(latest.current);
  }, []);
  useEffect(() => {
    const element = host.current!;
    const observer = new ResizeObserver(() => setScreen({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      if (event.shiftKey) move((now) => pan(now, -step - event.deltaX, 0));
      else move((now) => zoomAt(now, Math.exp(-step * speed), event.clientX - left, event.clientY - top));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", onWheel);
    };
  }, [host, move]);
  const fitAll = useCallback(() => setOwn(fit(world ?? NOTHING, screen)), [world, screen]);
  return { view, screen, move, fitAll };
}
