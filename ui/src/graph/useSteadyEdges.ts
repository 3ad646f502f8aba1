/** Keeps the identity of edges while they say the same, so that fresh statuses do not lay the graph out anew. */
import { useRef } from "react";

import type { Edge } from "./layers.model";

export function useSteadyEdges(edges: readonly Edge[]): readonly Edge[] {
  const kept = useRef(edges);
  const same =
    kept.current.length === edges.length &&
    kept.current.every(([from, to], at) => from === edges[at]![0] && to === edges[at]![1]);
  if (!same) kept.current = edges;
  return kept.current;
}
