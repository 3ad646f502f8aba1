/** Draws only the rows in sight of a long list whose row heights are known; follows the end when asked to. */
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from "react";

import { cx } from "./cx";
import { offsetsOf, visibleRows } from "./rows.model";
import css from "./VirtualRows.module.css";

export interface VirtualRowsHandle {
  show: (index: number) => void;
}

interface VirtualRowsProps {
  label: string;
  /** One height in px for each row. */
  heights: readonly number[];
  render: (index: number) => ReactNode;
  /** Stays at the end while rows are added. */
  follow?: boolean;
  /** Told when the reader scrolls away from the end (false) or back to it (true). */
  onFollow?: (atEnd: boolean) => void;
  role?: "log" | "list" | "table";
  className?: string;
  ref?: Ref<VirtualRowsHandle>;
}

const BEYOND = 12;
const AT_END_PX = 8;

export function VirtualRows(props: VirtualRowsProps) {
  const { label, heights, render, follow = false, onFollow, role = "list", className, ref } = props;
  const place = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const offsets = useMemo(() => offsetsOf(heights), [heights]);
  const total = offsets[offsets.length - 1] ?? 0;

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setSight({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow && place.current !== null) place.current.scrollTop = total;
  }, [follow, total, sight.height]);
  useImperativeHandle(ref, () => ({
    show: (index) => {
      const element = place.current;
      if (element !== null) element.scrollTop = (offsets[index] ?? 0) - element.clientHeight / 3;
    },
  }));

  const onScroll = () => {
    const element = place.current;
    if (element === null) return;
    setSight({ top: element.scrollTop, height: element.clientHeight });
    onFollow?.(element.scrollTop + element.clientHeight >= element.scrollHeight - AT_END_PX);
  };
  const [from, to] = visibleRows(offsets, sight.top, sight.height, BEYOND);
  return (
    <div ref={place} className={cx(css.place, className)} onScroll={onScroll} tabIndex={0} role={role} aria-label={label}>
      <div className={css.whole} style={{ height: total }}>
        <div className={css.window} style={{ transform: `translateY(${offsets[from] ?? 0}px)` }}>
          {Array.from({ length: to - from }, (_, index) => render(from + index))}
        </div>
      </div>
    </div>
  );
}
