/** Where the time of one attempt of a step went, and what its process used, as text. Pure. */
import { bytesText } from "./size.model";
import { durationText } from "./time.model";

export interface Figures {
  queued: number | null;
  starting: number | null;
  loading: number | null;
  computing: number | null;
  storing: number | null;
  cpu: number | null;
  peakMemory: number | null;
  shared: boolean;
}

export interface Figure {
  id: Exclude<keyof Figures, "shared">;
  label: string;
  /** What it means, for a tooltip. */
  about: string;
  text: (figures: Figures) => string;
}

const UNKNOWN = "–";
const SHARED: Partial<Record<Figure["id"], string>> = {
  cpu: "CPU time that the process used meanwhile; it runs other steps too",
  peakMemory: "The most memory that the process has had so far; it runs other steps too",
};

function seconds(id: Figure["id"], label: string, about: string): Figure {
  return { id, label, about, text: (figures) => (figures[id] === null ? UNKNOWN : durationText(figures[id])) };
}

export const FIGURES: readonly Figure[] = [
  seconds("queued", "Queue", "Ready, and waiting for a place"),
  seconds("starting", "Start", "Begin of its process, set-up of resources"),
  seconds("loading", "Load", "Loading of inputs"),
  seconds("computing", "Compute", "Your function"),
  seconds("storing", "Store", "Storing of what it gave"),
  seconds("cpu", "CPU", "CPU time of its process, user and system"),
  {
    id: "peakMemory",
    label: "Peak memory",
    about: "The most memory that its process had, shared pages included",
    text: ({ peakMemory }) => (peakMemory === null ? UNKNOWN : bytesText(peakMemory)),
  },
];

/** What a figure means for these figures. */
export function aboutFigure({ id, about }: Figure, { shared }: Figures): string {
  return (shared ? SHARED[id] : undefined) ?? about;
}

/** "Queue 2 ms, start 30 ms, ...": those that are known. */
export function figuresText(figures: Figures): string {
  const known = FIGURES.filter(({ id }) => figures[id] !== null);
  const words = known.map(({ label, text }, index) => `${index === 0 ? label : lowered(label)} ${text(figures)}`);
  return words.join(", ");
}

function lowered(label: string): string {
  return label === "CPU" ? label : label.toLowerCase();
}
