/** What a graph shows of a node, whatever the node stands for. */

export interface GraphNode {
  /** Unique in its graph; also what selections hold. */
  readonly id: string;
  readonly label: string;
  /** A status word that the kit's status looks know; empty for a node without one, such as a job's step. */
  readonly status: string;
  /** Shown at the right of the second line, such as an age. */
  readonly detail?: string | undefined;
  /** A short word at the right of the first line, such as the kind of computation. */
  readonly badge?: string | undefined;
  /** Takes the place of the status's own word. */
  readonly note?: string | undefined;
  /** How much of it is done, 0 to 1: a thin bar at the foot. */
  readonly progress?: number | undefined;
  /** Drawn with a broken outline: it is not made here. */
  readonly outside?: boolean;
}

/** How large nodes are, and how far apart, in world units. */
export interface NodeSize {
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  readonly gapX: number;
  readonly gapY: number;
}

/** Room for long names. */
export const WIDE: NodeSize = { nodeWidth: 204, nodeHeight: 56, gapX: 56, gapY: 18 };
/** For graphs of short names, of which more columns should be readable at once. */
export const NARROW: NodeSize = { nodeWidth: 164, nodeHeight: 56, gapX: 44, gapY: 18 };
