/** Folds a run's log: events that say the same of many partitions, or of many assets, in a row become one row. Pure. */

/** What of an event decides whether it folds. */
export interface FoldingEvent {
  eventId: string;
  eventType: string | null;
  stepKey: string | null;
  assetKey?: { path: readonly string[] } | null;
  partition?: string | null;
}

export interface EventRow {
  kind: "event";
  /** Place among all events. */
  index: number;
  /** Whether it stands in an unfolded fold. */
  within: boolean;
}

export interface FoldRow {
  kind: "fold";
  /** Stays the same while the fold grows at its end. */
  key: string;
  /** Places of its events: the first, and the one after the last. */
  from: number;
  to: number;
  words: string;
  isOpen: boolean;
}

export type LogRow = EventRow | FoldRow;

const PLANNED = "ASSET_MATERIALIZATION_PLANNED";
const VERBS: Readonly<Record<string, string>> = {
  [PLANNED]: "Will make",
  ASSET_MATERIALIZATION: "Made",
  ASSET_OBSERVATION: "Observed",
};
/** Fewer events than this stand for themselves. */
const LEAST = 4;
const NAMED = 3;

/**
 * The rows of the log.
 *
 * @param open keys of the folds that are unfolded: their row is followed by the rows of their events.
 * @param shown id of an event that has to have a row; its fold is unfolded too.
 */
export function foldEvents(events: readonly FoldingEvent[], open: ReadonlySet<string>, shown: string | null): LogRow[] {
  const rows: LogRow[] = [];
  for (let from = 0; from < events.length; ) {
    const found = foldAt(events, from);
    if (found === null) {
      rows.push({ kind: "event", index: from, within: false });
      from += 1;
      continue;
    }
    const { to, words } = found;
    const key = events[from]!.eventId;
    const isOpen = open.has(key) || (shown !== null && events.slice(from, to).some(({ eventId }) => eventId === shown));
    rows.push({ kind: "fold", key, from, to, words, isOpen });
    if (isOpen) for (let index = from; index < to; index++) rows.push({ kind: "event", index, within: true });
    from = to;
  }
  return rows;
}

function foldAt(events: readonly FoldingEvent[], from: number): { to: number; words: string } | null {
  const verb = VERBS[events[from]!.eventType ?? ""];
  if (verb === undefined) return null;
  const partitionsEnd = endOfPartitions(events, from);
  if (partitionsEnd - from >= LEAST) {
    const [first, last] = [events[from]!, events[partitionsEnd - 1]!];
    const many = (partitionsEnd - from).toLocaleString("en");
    return {
      to: partitionsEnd,
      words: `${verb} ${many} partitions of ${nameOf(first)}, ${first.partition} to ${last.partition}.`,
    };
  }
  if (events[from]!.eventType !== PLANNED) return null;
  const assetsEnd = endOfPlanned(events, from);
  if (assetsEnd - from < LEAST) return null;
  const names = [...new Set(events.slice(from, assetsEnd).map(nameOf))];
  const rest = names.length - NAMED;
  const named = names.slice(0, NAMED).join(", ");
  return { to: assetsEnd, words: `${verb} ${names.length} assets: ${named}${rest > 0 ? ` and ${rest} more` : ""}.` };
}

function endOfPartitions(events: readonly FoldingEvent[], from: number): number {
  const first = events[from]!;
  const name = nameOf(first);
  let to = from;
  while (to < events.length) {
    const next = events[to]!;
    const belongs = next.eventType === first.eventType && next.stepKey === first.stepKey && (next.partition ?? null) !== null;
    if (!belongs || nameOf(next) !== name) break;
    to += 1;
  }
  return to;
}

/** Up to where plans of single assets go on: a long fold of one asset's partitions ends them. */
function endOfPlanned(events: readonly FoldingEvent[], from: number): number {
  let to = from;
  while (to < events.length && events[to]!.eventType === PLANNED) {
    const next = Math.max(to + 1, endOfPartitions(events, to));
    if (next - to >= LEAST) break;
    to = next;
  }
  return to;
}

function nameOf(event: FoldingEvent): string {
  return event.assetKey?.path.join("/") ?? "";
}
