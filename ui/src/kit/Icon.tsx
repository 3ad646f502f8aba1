/** Line icons on a 16 by 16 grid, drawn in the text's colour. */
import css from "./Icon.module.css";
import { cx } from "./cx";

const SHAPES = {
  overview: "M2.5 8.5 8 3l5.5 5.5M4 7.5V13h8V7.5",
  runs: "M3 4h6M3 8h10M3 12h7",
  backfills: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.7h11M6.2 3v10M9.8 3v10",
  assets: "M8 2 13.5 5v6L8 14 2.5 11V5zM2.5 5 8 8l5.5-3M8 8v6",
  lineage: "M2 3h4v3H2zM10 3h4v3h-4zM10 10h4v3h-4zM6 4.5h4M6 4.5c2.5 0 1.5 7 4 7",
  jobs: "M2.5 5h11v8h-11zM6 5V3h4v2M2.5 8.5h11",
  automation: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7M8 5v3.2l2.2 1.3M2.5 2.5v3.7h3.7",
  deployment: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  settings: "M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.2 2.8v3.4M5.7 9.8v3.4",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.3 10.3 13.5 13.5",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3 8.5 3.2 3.2L13 5",
  chevronDown: "m4.5 6.5 3.5 3.5 3.5-3.5",
  chevronRight: "m6.5 4.5 3.5 3.5-3.5 3.5",
  chevronLeft: "M9.5 4.5 6 8l3.5 3.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  reload: "M13 5.5A5.5 5.5 0 1 0 13.5 8M13.5 2.5v3h-3",
  stop: "M4 4h8v8H4z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7.5-4.5z",
  copy: "M6 6h7.5v7.5H6zM4 10H2.5V2.5H10V4",
  download: "M8 2.5v7.5m-3-3 3 3 3-3M2.5 13h11",
  external: "M6 3.5H3v9.5h9.5v-3M9 2.5h4.5V7M13 3 7.5 8.5",
  filter: "M2.5 3.5h11L9.5 8.5V13l-3-1.5v-3z",
  sidebar: "M2.5 3h11v10h-11zM6.5 3v10",
  sun: "M8 5.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5",
  help: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12h.01",
  warning: "M8 2.5 14 13H2zM8 6.5v3M8 11.3h.01",
  plus: "M8 3v10M3 8h10",
  wrap: "M2.5 4h11M2.5 8h9a2 2 0 0 1 0 4H8m1.5-1.5L8 12l1.5 1.5M2.5 12h3",
  follow: "M8 2.5V11m-3.5-3.5L8 11l3.5-3.5M3 13.5h10",
  link: "M6.5 9.5 9.5 6.5M7 4.5l1.2-1.2a2.5 2.5 0 0 1 3.5 3.5L10.5 8M9 11.5l-1.2 1.2a2.5 2.5 0 0 1-3.5-3.5L5.5 8",
} as const;

export type IconName = keyof typeof SHAPES;

interface IconProps {
  name: IconName;
  size?: number;
  className?: string;
}

export function Icon({ name, size = 16, className }: IconProps) {
  return (
    <svg className={cx(css.icon, className)} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
