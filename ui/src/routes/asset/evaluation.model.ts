/** What an automation condition came to, part by part, in words. Pure. */

export interface Part {
  uniqueId: string;
  /** The tag of its class: "and", "missing". */
  operatorType: string;
  expandedLabel: readonly string[];
  meaning: string;
  entity: string;
  isPartitioned: boolean;
  numTrue: number;
  numCandidates: number;
  truePartitions: readonly string[];
}

export interface PartRow {
  id: string;
  depth: number;
  name: string;
  meaning: string;
  /** The asset or check that it was asked for, where that is another one than its parent's. */
  of: string | null;
  answer: "true" | "false" | "not asked";
  /** How many partitions it is true for, and which; empty for what has none. */
  detail: string;
}

/** A row for each part of a condition, in the order in which they stand: each before those below it. */
export function partRows(parts: readonly Part[]): PartRow[] {
  const entities = new Map(parts.map((part) => [part.uniqueId, part.entity]));
  return parts.map((part) => {
    const way = part.uniqueId.split(".");
    const above = entities.get(way.slice(0, -1).join("."));
    return {
      id: part.uniqueId,
      depth: way.length - 1,
      name: part.expandedLabel.join(" "),
      meaning: part.meaning,
      of: above === undefined || above === part.entity ? null : part.entity,
      answer: part.numCandidates === 0 ? "not asked" : part.numTrue > 0 ? "true" : "false",
      detail: detailOf(part),
    };
  });
}

function detailOf({ isPartitioned, numTrue, numCandidates, truePartitions }: Part): string {
  if (!isPartitioned || numCandidates === 0) return "";
  const count = `${numTrue.toLocaleString("en")} of ${numCandidates.toLocaleString("en")}`;
  return truePartitions.length === 0 ? count : `${count}: ${truePartitions.join(", ")}`;
}

/** What an evaluation asked for. */
export function requestWords(numRequested: number, isPartitioned: boolean): string {
  if (numRequested === 0) return "nothing requested";
  if (!isPartitioned) return "requested";
  return numRequested === 1 ? "1 partition requested" : `${numRequested.toLocaleString("en")} partitions requested`;
}
