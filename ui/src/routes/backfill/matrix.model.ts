/** The matrix of a backfill: of each asset the stretches of its partitions by outcome. Pure. */
import { OUTCOMES, type OutcomeName } from "../../backfills/backfill.model";
import type { MatrixRow } from "../../services/backfills";

export interface Stretch {
  /** Positions; the end is included. */
  readonly first: number;
  readonly last: number;
  readonly outcome: OutcomeName;
}

export interface AssetStretches {
  /** The asset's key as one text; "" for the one row of a job. */
  readonly name: string;
  readonly isPartitioned: boolean;
  /** In order, not overlapping; what lies between them was not asked for. */
  readonly stretches: readonly Stretch[];
  /** The first position that was asked for, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

export function stretchesOf(row: MatrixRow): AssetStretches {
  const stretches: Stretch[] = [];
  for (const { name: outcome } of OUTCOMES) {
    const text = row.positions[outcome];
    for (const part of text === "" ? [] : text.split(",")) {
      const [first, last = first] = part.split("-");
      stretches.push({ first: Number(first), last: Number(last), outcome });
    }
  }
  stretches.sort((one, other) => one.first - other.first);
  return {
    name: row.assetKey?.path.join("/") ?? "",
    isPartitioned: row.isPartitioned,
    stretches,
    from: stretches[0]?.first ?? 0,
    to: (stretches.at(-1)?.last ?? -1) + 1,
  };
}

/** The outcome of a position; none where it was not asked for. */
export function outcomeAt(stretches: readonly Stretch[], position: number): OutcomeName | undefined {
  let low = 0;
  let high = stretches.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { first, last, outcome } = stretches[middle]!;
    if (position < first) high = middle - 1;
    else if (position > last) low = middle + 1;
    else return outcome;
  }
  return undefined;
}

/** Positions with one of the outcomes, in order, at most so many. */
export function positionsOf(stretches: readonly Stretch[], outcome: OutcomeName | "", atMost: number): number[] {
  const found: number[] = [];
  for (const stretch of stretches) {
    if (outcome !== "" && stretch.outcome !== outcome) continue;
    for (let position = stretch.first; position <= stretch.last; position++) {
      if (found.length === atMost) return found;
      found.push(position);
    }
  }
  return found;
}

/** What must be seen is drawn last where a pixel has room for one alone. */
export const DRAWN: readonly OutcomeName[] = ["waiting", "materialized", "skipped", "canceled", "inProgress", "failed"];
