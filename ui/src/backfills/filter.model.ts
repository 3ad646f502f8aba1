/** The filter of the list of backfills: from the address to the API, and in words. Pure. */
import type { SearchState } from "../services/navigation";
import type { BackfillPageQueryVariables } from "../services/schema.gen";

const NAMES = ["job", "asset", "user", "text"] as const;
const WORDS: Record<FilterName, string> = { job: "Job", asset: "Asset", user: "Asked for by", text: "With" };

type FilterName = (typeof NAMES)[number];
/** Each part as the address has it; "" for none. */
export type BackfillFilter = Record<FilterName, string>;

/** A change of the address that leaves no part of the filter. */
export const UNFILTERED: Record<FilterName, ""> = { job: "", asset: "", user: "", text: "" };

export function readFilter(search: SearchState): BackfillFilter {
  return { job: search.job ?? "", asset: search.asset ?? "", user: search.user ?? "", text: search.text ?? "" };
}

/** The filter as the API takes it. */
export function apiFilter({ job, asset, user, text }: BackfillFilter): Pick<BackfillPageQueryVariables, FilterName> {
  return { job: job || null, asset: asset === "" ? null : { path: asset.split("/") }, user: user || null, text: text || null };
}

/** Every part that narrows the list. */
export function filterParts(filter: BackfillFilter): { name: FilterName; label: string }[] {
  return NAMES.filter((name) => filter[name] !== "").map((name) => ({ name, label: `${WORDS[name]}: ${filter[name]}` }));
}

/** What a reader typed, as a change of the address: "job:x", "asset:a/b", "user:ann", or words of a title or an id. */
export function readTyped(typed: string): SearchState | null {
  const text = typed.trim();
  const [, name, value = ""] = /^(job|asset|user)\s*:\s*(.*)$/i.exec(text) ?? [];
  if (name !== undefined) return value === "" ? null : { [name.toLowerCase()]: value };
  return text === "" ? null : { text };
}
